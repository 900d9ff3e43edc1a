// Which peers `hash` finds for keys, with and without `consistent`: exactly nginx's, key by key.

import { type BalancedRequest, type BalancingCase, describeBalancing, same, weights } from './balancing.ts'

/** `arg_k` of all kinds: numbers, words, paths, nothing. */
const KEYS: BalancedRequest[] = Array.from({ length: 1200 }, (_, index) => {
  const key = [String(index), `user-${index * 7919}`, `/a/b/${index}.html`, `%e4${'x'.repeat(index % 90)}`][
    index % 4
  ]
  return { query: `k=${key}` }
})

const SOME = [...KEYS.slice(0, 200), { query: 'k=' }, {}, {}, { query: 'k=0' }, {}]

const SERVERS: Record<string, string> = {
  'two servers': weights(1, 1),
  'three servers': weights(1, 1, 1),
  'eight servers': weights(1, 1, 1, 1, 1, 1, 1, 1),
  'weights 5, 1, 1': weights(5, 1, 1),
  'weights 1 to 8': weights(1, 2, 3, 4, 5, 6, 7, 8),
  'weights 100 and 1': weights(100, 1),
  'names with and without a port': 'server localhost:%P1%; server %A2% weight=2; server 127.0.0.1:%P3%;',
  'a server that is down': `${weights(2, 3)} server %A3% down;`,
}

const BROKEN: Record<string, string> = {
  'IPv6 addresses, and no ports':
    'server [::1]:1 max_fails=0; server [::1] max_fails=0; server %A1%; server 127.0.0.1:2 max_fails=0;',
  'one name in two spellings': 'server LOCALHOST:%P1%; server localhost:%P2%; server %A3%;',
  'a port with a zero in front': 'server 127.0.0.1:0%P1%; server %A2%; server %A3%;',
  'one server': 'server %A1%;',
  'servers that are all down': 'server %A1% down; server %A2% down;',
  'half of the servers down': 'server %A1%; server %A2% down; server %A3%; server %A4% down;',
  'all but one down': `${'server %A2% down; '.repeat(5)} server %A1%;`,
  'a heavy server that is down': 'server %A1% down weight=500; server %A2%; server %A3%;',
  'a server that refuses': 'server %A1%; server %R1%; server %A2% weight=2;',
  'a server that refuses and is never taken out':
    'server %R1% max_fails=0; server %A1%; server %A2%; server %A3%;',
  'servers that all refuse': 'server %R1%; server %R2% max_fails=0; server %R3%;',
  'a server listed twice': 'server %A1%; server %A2% weight=2; server %A1% weight=3;',
  'a name of several addresses': 'server localhost:%P1%; server %A2%; server %R1%;',
}

function cases(method: string): BalancingCase[] {
  return [
    ...Object.entries(SERVERS).map(([name, servers]) => ({ name, servers, requests: KEYS })),
    ...Object.entries(BROKEN).map(([name, servers]) => ({ name, servers, requests: SOME })),
  ].map(({ name, servers, requests }) => ({ name, upstream: `${method}; ${servers}`, requests }))
}

describeBalancing(
  'hash',
  [
    ...cases('hash $arg_k'),
    { name: 'a key without variables', upstream: `hash same; ${weights(1, 1, 1)}`, requests: same(5) },
    {
      name: 'a key of several parts',
      upstream: `hash $uri-$arg_k$request_method; ${weights(1, 2, 1)}`,
      requests: KEYS.slice(0, 200),
    },
    { name: 'an empty key', upstream: `hash $nothing$arg_none; ${weights(3, 1, 1)}`, requests: same(20) },
    {
      name: 'backups in front of the directive',
      upstream: 'server %R1%; server %R2%; server %A1% backup weight=2; server %A2% backup; hash $arg_k;',
      requests: SOME,
    },
  ],
  'map $host $nothing { default ""; }',
)

describeBalancing('hash consistent', [
  ...cases('hash $arg_k consistent'),
  { name: 'an empty key', upstream: `hash $arg_none consistent; ${weights(3, 1, 1)}`, requests: same(20) },
  {
    name: 'backups in front of the directive',
    upstream:
      'server %R1%; server %R2%; server %A1% backup weight=2; server %A2% backup; hash $arg_k consistent;',
    requests: SOME,
  },
  {
    name: 'a key of several bytes a character',
    upstream: `hash é$arg_k consistent; ${weights(1, 1, 1, 1)}`,
    requests: SOME,
  },
  {
    name: 'unix sockets',
    upstream: `hash $arg_k consistent; server unix:/nowhere/a.sock max_fails=0 weight=2;
      server unix:/nowhere/b.sock max_fails=0; server %A1%;`,
    requests: SOME,
  },
])
