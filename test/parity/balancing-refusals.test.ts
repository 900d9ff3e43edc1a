// What nginx refuses of balancing methods and servers, and what it warns of.

import { describeRefusals, describeWarnings } from './refusals.ts'

const SERVER = 'server 127.0.0.1:1;'
/** Parameters of servers that some methods have no use for, and values that make no sense. */
const PARAMETERS = [
  'backup',
  'weight=0',
  'weight=-1',
  'max_conns=x',
  'max_fails=',
  'fail_timeout=1x',
  'down=1',
]

describeRefusals('balancing methods', [
  ...[
    'hash;',
    'hash a consistent b;',
    'hash a consistant;',
    'hash $no_such_variable;',
    'hash ${arg_a;',
    'hash "$arg_a consistent" Consistent;',
    'ip_hash on;',
    'least_conn 1;',
    'random one;',
    'random Two;',
    'random two most_conn;',
    'random two least_conn x;',
    'random "";',
    'ip_hash { }',
    'hash a { }',
  ].map((method) => `upstream u { ${method} ${SERVER} }`),
  'upstream u { ip_hash; }',
  'server { ip_hash; }',
  'hash $arg_a;',
  'upstream u { server 127.0.0.1:1 backup; }',
  'upstream u {\n  least_conn;\n  server 127.0.0.1:1 backup;\n  server 127.0.0.1:2 backup;\n}',
])

describeRefusals(
  'parameters of servers with a method',
  ['ip_hash;', 'hash $arg_a;', 'hash a consistent;', 'random;', 'random two;'].flatMap((method) => [
    ...PARAMETERS.map((parameter) => `upstream u { ${method} ${SERVER} server 127.0.0.1:2 ${parameter}; }`),
    `upstream u { ${SERVER} ${method} server 127.0.0.1:2 weight=2 backup down; }`,
  ]),
)

describeRefusals('parameters of servers without one that is about them', [
  ...PARAMETERS.filter((parameter) => parameter !== 'backup').flatMap((parameter) => [
    `upstream u { server 127.0.0.1:2 ${parameter}; }`,
    `upstream u { least_conn; server 127.0.0.1:2 ${parameter}; }`,
  ]),
  `upstream u { least_conn; ip_hash; server 127.0.0.1:2 backup; }`,
])

describeWarnings('balancing methods named twice', [
  `upstream u { ip_hash; least_conn; ${SERVER} }`,
  `upstream u {\n  least_conn;\n  ${SERVER}\n  hash a;\n}`,
  `upstream u { hash a; hash b consistent; ${SERVER} }`,
  `upstream u { random; random two; ip_hash; ${SERVER} }`,
  `upstream u { ip_hash; ip_hash; ${SERVER} }`,
  `upstream u { ip_hash; least_conn; server 127.0.0.1:2; server 127.0.0.1:3 backup; }`,
])
