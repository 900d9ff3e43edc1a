// Requests for another protocol, with the configurations that guides show: granted, declined, and how tunnels end.

import type { Peer } from '../support/peer.ts'
import { COUNTING, describeTunnels, type Ends, type TunnelCase } from './tunnels.ts'

const HTTP = `${COUNTING}
  server_tokens off;
  map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
  }
  server {
    listen 127.0.0.1:%PORT%;
    proxy_http_version 1.1;
    location / {
      proxy_pass http://%BACKEND%;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
    }
    location /map/ {
      proxy_pass http://%BACKEND%;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
    location /brief/ {
      proxy_pass http://%BACKEND%;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 300ms;
    }
    location /pages/ {
      proxy_pass http://%BACKEND%/;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_intercept_errors on;
      error_page 426 = /page;
    }
    location /page { return 200 "page"; }
    location /fields/ {
      proxy_pass http://%BACKEND%;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      add_header X-Some some;
      add_header X-Always always always;
      expires 1h;
      gzip on;
    }
  }
`

const upgrade = (target: string, method = 'GET', ...fields: string[]) =>
  [`${method} ${target} HTTP/1.1`, 'Host: test', 'Connection: Upgrade', 'Upgrade: websocket', ...fields]
    .map((line) => `${line}\r\n`)
    .join('')
    .concat('\r\n')
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-More: yes\r\n\r\n'

const seen = (peer: Peer, text: string) => peer.when(JSON.stringify(text), () => peer.received.includes(text))

/** Up to both ends having the heads; `behind` comes with that of the backend. */
async function open(ends: Ends, request: string, behind = ''): Promise<Peer> {
  await ends.client.send(request)
  const backend = await ends.backend()
  await seen(backend, '\r\n\r\n')
  await backend.send(SWITCH + behind)
  await seen(ends.client, `\r\n\r\n${behind}`)
  return backend
}

/** As clients and backends do: the end of one is answered by the end of the other. */
async function close(first: Peer, second: Peer): Promise<void> {
  first.end()
  await second.untilEnd()
  second.end()
  await first.untilEnd()
}

const granted: TunnelCase[] = [
  ...['/', '/map/', '/a?b=c'].map((target) => ({
    name: `granted, words both ways, the client ends first: ${target}`,
    play: async (ends: Ends) => {
      const backend = await open(ends, upgrade(target))
      await ends.client.send('from the client')
      await seen(backend, 'from the client')
      await backend.send('from the backend')
      await seen(ends.client, 'from the backend')
      await close(ends.client, backend)
    },
  })),
  {
    name: 'the backend ends first, right behind its last words',
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'))
      await backend.send('last words')
      await close(backend, ends.client)
    },
  },
  {
    name: 'the client ends first, right behind its last words',
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'))
      await ends.client.send('last words')
      await close(ends.client, backend)
    },
  },
  {
    name: 'the client closes without half-closing',
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'))
      ends.client.socket.destroySoon()
      await backend.untilEnd()
      backend.end()
    },
  },
  {
    name: 'the backend speaks in one piece with its 101',
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'), 'early words')
      await close(backend, ends.client)
    },
  },
  {
    name: 'the client speaks before the 101',
    play: async (ends) => {
      const backend = await open(ends, `${upgrade('/')}early words`)
      await seen(backend, 'early words')
      await ends.client.send(', and more')
      await seen(backend, ', and more')
      await close(backend, ends.client)
    },
  },
  {
    name: 'both speak early',
    play: async (ends) => {
      const backend = await open(ends, `${upgrade('/')}client`, 'backend')
      await seen(backend, '\r\n\r\nclient')
      await close(ends.client, backend)
    },
  },
  {
    name: 'a request with content, and words behind it',
    play: async (ends) => {
      await ends.client.send(`${upgrade('/', 'POST', 'Content-Length: 4')}bodyearly`)
      const backend = await ends.backend()
      await seen(backend, 'body')
      await backend.send(SWITCH)
      await seen(backend, 'bodyearly')
      await close(backend, ends.client)
    },
  },
  {
    name: 'a 101 that names no protocol',
    play: async (ends) => {
      await ends.client.send(upgrade('/'))
      const backend = await ends.backend()
      await seen(backend, '\r\n\r\n')
      await backend.send('HTTP/1.1 101 Switching Protocols\r\n\r\nwords')
      await seen(ends.client, 'words')
      await close(backend, ends.client)
    },
  },
  {
    name: 'a 101 in pieces',
    play: async (ends) => {
      await ends.client.send(upgrade('/'))
      const backend = await ends.backend()
      await seen(backend, '\r\n\r\n')
      for (const piece of ['HTTP/1.1 101 Swi', 'tching Protocols\r\nUpgrade: websocket\r', '\n\r\nwords']) {
        await backend.send(piece)
        await new Promise((done) => setTimeout(done, 5))
      }
      await seen(ends.client, 'words')
      await close(backend, ends.client)
    },
  },
  {
    name: 'HEAD',
    play: async (ends) => {
      const backend = await open(ends, upgrade('/', 'HEAD'), 'words')
      await close(backend, ends.client)
    },
  },
  {
    name: 'X-Accel-Redirect in a 101',
    play: async (ends) => {
      await ends.client.send(upgrade('/'))
      const backend = await ends.backend()
      await seen(backend, '\r\n\r\n')
      await backend.send(SWITCH.replace('X-More: yes', 'X-Accel-Redirect: /page'))
      await seen(ends.client, '\r\n\r\n')
      backend.end()
      ends.client.end()
      await ends.client.untilEnd()
    },
  },
]

const fields: TunnelCase[] = [
  'Content-Type: text/html',
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Keep-Alive: timeout=5',
  'Date: Mon, 01 Jan 2024 00:00:00 GMT',
  'Set-Cookie: a=b',
  'Upgrade: other',
  'Sec-WebSocket-Accept: abc=',
  'X-Accel-Buffering: no',
].map((field) => ({
  name: `a 101 with ${field}`,
  play: async (ends: Ends) => {
    await ends.client.send(upgrade('/fields/'))
    const backend = await ends.backend()
    await seen(backend, '\r\n\r\n')
    await backend.send(SWITCH.replace('X-More: yes', field))
    await seen(ends.client, '\r\n\r\n')
    await backend.send('words of the backend')
    await seen(ends.client, 'backend')
    await close(backend, ends.client)
  },
}))

const ends: TunnelCase[] = [
  {
    name: 'the backend resets',
    info: true,
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'))
      backend.destroy(true)
      await ends.client.untilEnd()
    },
  },
  {
    name: 'the client resets',
    info: true,
    play: async (ends) => {
      const backend = await open(ends, upgrade('/'))
      ends.client.destroy(true)
      await backend.untilEnd()
      backend.end()
    },
  },
  {
    name: 'nobody speaks for proxy_read_timeout',
    info: true,
    play: async (ends) => {
      await open(ends, upgrade('/brief/'))
      await ends.client.untilEnd()
    },
  },
  {
    name: 'the backend ends without an answer',
    info: true,
    play: async (ends) => {
      await ends.client.send(upgrade('/'))
      const backend = await ends.backend()
      await seen(backend, '\r\n\r\n')
      backend.end()
      await seen(ends.client, '</html>')
    },
  },
  {
    name: 'the client leaves before the answer',
    info: true,
    play: async (ends) => {
      await ends.client.send(upgrade('/'))
      const backend = await ends.backend()
      await seen(backend, '\r\n\r\n')
      ends.client.end()
      await backend.untilEnd()
    },
  },
]

const declined: TunnelCase[] = ['200 OK', '400 Bad Request', '403 Forbidden', '426 Upgrade Required'].flatMap(
  (status) =>
    ['/', '/pages/'].map((target) => ({
      name: `declined with ${status}, and a plain request behind it: ${target}`,
      logged: 2,
      play: async (ends: Ends) => {
        const fields = 'Upgrade: websocket\r\nContent-Length: 8\r\n'
        await ends.client.send(upgrade(target))
        const backend = await ends.backend()
        await seen(backend, '\r\n\r\n')
        await backend.send(`HTTP/1.1 ${status}\r\n${fields}\r\ndeclined`)
        await ends.client.when('an answer', () => /declined|page/.test(ends.client.received))
        await ends.client.send('GET /page HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
        await ends.client.untilEnd()
      },
    })),
)

const behind: TunnelCase = {
  name: 'declined, and a plain request came right behind it',
  logged: 2,
  play: async (ends) => {
    const plain = 'GET /page HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n'
    await ends.client.send(upgrade('/') + plain)
    const backend = await ends.backend()
    await seen(backend, '\r\n\r\n')
    await backend.send('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 8\r\n\r\ndeclined')
    await ends.client.untilEnd()
    ends.client.end()
  },
}

describeTunnels('upgrades granted', HTTP, granted)
describeTunnels('fields of a 101', HTTP, fields)
describeTunnels('how upgraded connections end', HTTP, ends)
describeTunnels('upgrades declined', HTTP, [...declined, behind])
