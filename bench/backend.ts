// The backend both proxies forward to: the cheapest one there is, so that it does not bound what is measured.
// nginx with answers from memory and files where it is installed, the responder of responder.ts otherwise. Head and
// body leave in one write, without sendfile: its corked halves now and then wait 40 ms for a delayed acknowledgement.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './children.ts'
import { contentOf } from './content.ts'
import { MANY_PATH } from './many.ts'
import { freePort, listening } from './port.ts'
import { BACKEND_ADDRESSES, BACKEND_BYTES } from './scenario.ts'

export interface Backend {
  port: number
  kind: 'nginx' | 'node'
  child: Child
}

/** Resolves once the backend listens. */
export async function startBackend(
  work: string,
  nginx: string | null,
  cores: string | null,
): Promise<Backend> {
  const port = await freePort()
  const folder = join(work, 'backend')
  const child = new Child(nginx === null ? responder(port) : nginxCommand(nginx, folder, port), { cores })
  try {
    await listening(child, port)
  } catch (error) {
    throw new Error(`backend: ${(error as Error).message}\n${child.stderr}`)
  }
  return { port, kind: nginx === null ? 'node' : 'nginx', child }
}

function responder(port: number): string[] {
  return [process.execPath, fileURLToPath(new URL('./responder.ts', import.meta.url)), String(port)]
}

function nginxCommand(nginx: string, folder: string, port: number): string[] {
  mkdirSync(join(folder, 'logs'), { recursive: true })
  for (const path of ['/64k', '/1m', '/page', '/json'] as const) {
    const file = join(folder, path)
    writeFileSync(file, contentOf(path))
    chmodSync(file, 0o644)
  }
  const conf = join(folder, 'nginx.conf')
  writeFileSync(conf, backendConf(folder, port, process.getuid?.() === 0))
  return [nginx, '-p', `${folder}/`, '-c', conf, '-g', 'daemon off;']
}

function backendConf(folder: string, port: number, root: boolean): string {
  // Run as root, the worker would otherwise be a user who may not enter the folder.
  return `${root ? 'user root;\n' : ''}worker_processes 1;
pid run.pid;
error_log logs/error.log warn;
events { worker_connections 8192; }
http {
    access_log off;
    sendfile off;
    output_buffers 1 1200k;
    open_file_cache max=16;
    keepalive_requests 100000000;
    keepalive_timeout 300s;
    default_type text/plain;
    client_body_temp_path body_temp;
    proxy_temp_path proxy_temp;
    fastcgi_temp_path fastcgi_temp;
    uwsgi_temp_path uwsgi_temp;
    scgi_temp_path scgi_temp;
    server {
${BACKEND_ADDRESSES.map((address) => `        listen ${address}:${port} backlog=4096;\n`).join('')}        root ${folder};
        location = /1k { return 200 "${'x'.repeat(BACKEND_BYTES['/1k'])}"; }
        location ${MANY_PATH} { return 200 "${'x'.repeat(BACKEND_BYTES['/many/exact'])}"; }
        location = /json { default_type application/json; }
        location = /post { return 200 "${'x'.repeat(BACKEND_BYTES['/post'])}"; }
    }
}
`
}
