// Which peers round robin, least_conn and ip_hash choose: exactly nginx's, one request after another.

import { type BalancedRequest, type BalancingCase, describeBalancing, same, weights } from './balancing.ts'

const WEIGHTS = [
  [1, 1],
  [1, 1, 1],
  [5, 1, 1],
  [1, 2],
  [1, 2, 3, 4],
  [7, 3],
  [10, 1, 1, 5],
  [1_000_000, 2_000_000, 999],
  [100, 99, 1],
  [3, 3, 2, 2, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [8, 7, 6, 5, 4, 3, 2, 1],
]

/** Servers that fail, or are out from the beginning. */
const BROKEN = {
  'a server that is down': `${weights(2, 3)} server %A3% down;`,
  'all servers down': 'server %A1% down; server %A2% down;',
  'all but one server down': 'server %A1% down; server %A2%;',
  'one server, down': 'server %A1% down;',
  'one server that refuses': 'server %R1%;',
  'a server that refuses': 'server %A1%; server %R1%; server %A2% weight=2;',
  'a server that refuses three times': 'server %A1% weight=6; server %R1% weight=9 max_fails=3; server %A2%;',
  'a server that refuses and is never taken out': 'server %R1% max_fails=0; server %A1%; server %A2%;',
  'a heavy server that refuses and is never taken out':
    'server %R1% max_fails=0 weight=10; server %A1% weight=3;',
  'two servers that refuse': 'server %R1%; server %A1%; server %R2% weight=5; server %A2%;',
  'servers that all refuse': 'server %R1%; server %R2%; server %R3%;',
  'max_fails above the weight':
    'server %R1% weight=2 max_fails=5; server %A1% weight=2; server %A2% weight=3;',
  'a server listed twice': 'server %A1%; server %A2% weight=2; server %A1% weight=3;',
  'a server without room for requests of its own': 'server %A1% max_conns=1; server %A2% max_conns=1;',
}

const BACKUPS = {
  'a backup that nobody needs': `${weights(2, 1)} server %A3% backup;`,
  'a backup of servers that are down': 'server %A1% down; server %A2% backup; server %A3% backup weight=2;',
  'a backup of servers that refuse':
    'server %R1%; server %R2%; server %A2% backup weight=3; server %A3% backup;',
  'a backup of one server that refuses': 'server %R1%; server %A1% backup;',
  'a backup that refuses': 'server %R1%; server %R2% backup; server %A1% backup;',
  'a backup of one server': 'server %A1%; server %A2% backup;',
}

function withMethod(method: string, cases: Record<string, string>, count: number): BalancingCase[] {
  return Object.entries(cases).map(([name, servers]) => ({
    name: `${method === '' ? 'round robin' : method}: ${name}`,
    upstream: `${method === '' ? '' : `${method};`} ${servers}`,
    requests: same(count),
  }))
}

const TURNS = ['', 'least_conn']

describeBalancing('round robin and least_conn', [
  ...TURNS.flatMap((method) =>
    withMethod(method, Object.fromEntries(WEIGHTS.map((set) => [`weights ${set}`, weights(...set)])), 220),
  ),
  ...TURNS.flatMap((method) => withMethod(method, { ...BROKEN, ...BACKUPS }, 60)),
  { name: 'round robin: 10 000 requests', upstream: weights(13, 7, 5, 3, 1), requests: same(10_000) },
])

describeBalancing('proxy_next_upstream_tries', [
  ...['1', '2', '3'].flatMap((tries) =>
    ['', 'least_conn;', 'ip_hash;', 'hash $arg_k;', 'hash $arg_k consistent;'].map((method) => ({
      name: `${tries} with ${method === '' ? 'round robin' : method}`,
      upstream: `${method} server %R1% max_fails=0; server %R2%; server %R3%; server %A1%; server %A2%;`,
      location: `proxy_next_upstream_tries ${tries};`,
      requests: Array.from({ length: 40 }, (_, key) => ({ query: `k=${key}` })),
    })),
  ),
])

describeBalancing(
  'proxy_next_upstream off',
  ['', 'least_conn;', 'hash $arg_k;', 'hash $arg_k consistent;'].map((method) => ({
    name: method === '' ? 'round robin' : method,
    upstream: `${method} server %R1% weight=10 max_fails=4; server %R2% weight=7 max_fails=2;
      server %A1% weight=3; server %A2%;`,
    location: 'proxy_next_upstream off;',
    requests: Array.from({ length: 120 }, (_, index) => ({ query: `k=${index % 60}` })),
  })),
)

/** Addresses all over IPv4 and IPv6, neighbours among them. */
function clients(count: number): BalancedRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const mixed = Math.imul(index + 1, 0x9e3779b1) >>> 0
    const [a, b, c, d] = [mixed >>> 24, (mixed >>> 16) & 255, (mixed >>> 8) & 255, mixed & 255]
    if (index % 4 === 0) return from(`2001:db8:${c.toString(16)}::${d.toString(16)}:${a.toString(16)}`)
    return from(index % 4 === 1 ? `10.1.${index & 255}.${d}` : `${a}.${b}.${c}.${d}`)
  })
}

function from(address: string): BalancedRequest {
  return { headers: [`X-Real-IP: ${address}`] }
}

const ODD_CLIENTS = [
  ...['0.0.0.0', '255.255.254.255', '127.0.0.1', '::', '::1', '::ffff:192.0.2.1', 'fe80::1', '192.0.2.1:99'],
  ...['192.0.2.1', '192.0.2.2', '192.0.3.1', '[2001:db8::7]:80', 'nonsense', 'unix:'],
].map(from)

const CLIENTS = [...clients(1000), ...ODD_CLIENTS, ...same(3)]

const hashed = (name: string, servers: string, requests = CLIENTS): BalancingCase => ({
  name,
  upstream: `ip_hash; ${servers}`,
  requests,
})

describeBalancing(
  'ip_hash of addresses that realip found',
  [
    ...[
      [1, 1],
      [1, 1, 1],
      [5, 1, 1],
      [1, 2, 3, 4],
      [100, 99, 1],
      [8, 7, 6, 5, 4, 3, 2, 1],
    ].map((set) => hashed(`weights ${set}`, weights(...set))),
    ...Object.entries(BROKEN).map(([name, servers]) => hashed(name, servers, CLIENTS.slice(0, 200))),
    hashed('six of seven down', `${'server %A1% down; '.repeat(6)} server %A7%;`, CLIENTS.slice(0, 200)),
    hashed('a weight too great to be missed', 'server %A1% weight=1000 down; server %A2%; server %A3%;'),
    {
      name: 'backups in front of the directive',
      upstream: 'server %R1%; server %R2%; server %A1% backup weight=2; server %A2% backup; ip_hash;',
      requests: clients(100),
    },
  ],
  'set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;',
)
