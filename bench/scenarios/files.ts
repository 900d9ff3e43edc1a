// Files of the proxy's own: a small one that is asked for over and over, a page or an image, a download.

import { baseline, type LoadScenario } from '../scenario.ts'

export const file1k: LoadScenario = {
  ...baseline,
  name: 'file-1k',
  title: '1 KiB file',
  files: true,
  target: 1,
}

export const file64k: LoadScenario = {
  ...file1k,
  name: 'file-64k',
  title: '64 KiB file',
  path: '/64k',
  connections: 32,
  target: 0.7,
}

export const file1m: LoadScenario = {
  ...file1k,
  name: 'file-1m',
  title: '1 MiB file',
  path: '/1m',
  connections: 16,
  target: 0.7,
}
