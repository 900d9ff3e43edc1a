// Compression, at gzip's usual level 1. A page of the proxy's own: nginx compresses a file anew for each request, weir
// keeps what it has compressed with the file that it holds in memory. And a backend's JSON, which both compress anew.

import { baseline, type LoadScenario } from '../scenario.ts'

export const gzipFile: LoadScenario = {
  ...baseline,
  name: 'gzip-file',
  title: '32 KiB text file, gzip (weir keeps it)',
  path: '/page',
  files: true,
  gzip: true,
  target: 1,
}

export const gzipProxy: LoadScenario = {
  ...baseline,
  name: 'gzip-json',
  title: '32 KiB JSON of a backend, gzip',
  path: '/json',
  gzip: true,
  // Nearly all of it is zlib's own time: see profiles/gzip.md.
  target: 0.7,
}
