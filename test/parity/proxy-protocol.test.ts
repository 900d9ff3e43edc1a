// PROXY protocol headers on `listen ... proxy_protocol`. nginx takes a header only in one piece; cut ones are in
// test/worker/connection/proxy-protocol.test.ts.

import { describeParity, type ParityCase } from './compare.ts'
import { get } from './requests.ts'

const VARIABLES =
  '$proxy_protocol_addr|$proxy_protocol_port|$proxy_protocol_server_addr|$proxy_protocol_server_port'
const CONF = `
  log_format proxy '$remote_addr ${VARIABLES} $request_length $status';
  access_log logs/access.log proxy;
  server {
    listen 127.0.0.1:%PORT% proxy_protocol;
    return 200 "${VARIABLES} $remote_addr $server_addr";
  }
  server {
    listen 127.0.0.1:%PORT2% proxy_protocol;
    client_header_timeout 300ms;
    return 200 "${VARIABLES}";
  }
  server { listen 127.0.0.1:%PORT3%; return 200 "[${VARIABLES}]"; }
`

const GET = get('/', 'Connection: close')
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const bytes = (...numbers: number[]): string => String.fromCharCode(...numbers)
const v2 = (command: number, family: number, payload: string, length = payload.length): string =>
  SIGNATURE + bytes(command, family, length >> 8, length & 255) + payload
const INET = bytes(192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xbb)
const ipv6 = (...words: number[]): string => words.map((word) => bytes(word >> 8, word & 255)).join('')
const INET6 = ipv6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1, 0x2001, 0xdb8, 0, 1, 0, 0, 0, 2) + bytes(0, 80, 1, 0xbb)

const lines: Record<string, string> = {
  TCP4: 'PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n',
  TCP6: 'PROXY TCP6 2001:db8::1 2001:DB8::2 1 65535\r\n',
  UNKNOWN: 'PROXY UNKNOWN\r\n',
  'UNKNOWN with addresses': 'PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n',
  'UNKNOWN with rubbish': 'PROXY UNKNOWNx y \0\r\n',
  'TCP4 with addresses of TCP6': 'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
  'port 0': 'PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n',
  'port 65536': 'PROXY TCP4 192.0.2.1 198.51.100.2 65536 1\r\n',
  'port with zeros': 'PROXY TCP4 192.0.2.1 198.51.100.2 00080 00443\r\n',
  'port that is none': 'PROXY TCP4 192.0.2.1 198.51.100.2 80x 1\r\n',
  'negative port': 'PROXY TCP4 192.0.2.1 198.51.100.2 -1 1\r\n',
  'empty port': 'PROXY TCP4 192.0.2.1 198.51.100.2  1\r\n',
  'empty address': 'PROXY TCP4  198.51.100.2 1 2\r\n',
  'address that is none': 'PROXY TCP4 999.fff:1 198.51.100.2 1 2\r\n',
  'address with a letter': 'PROXY TCP4 192.0.2.g 198.51.100.2 1 2\r\n',
  'no server address': 'PROXY TCP4 192.0.2.1 1 2\r\n',
  'one port': 'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n',
  'three ports': 'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n',
  TCP5: 'PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n',
  'lower case': 'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
  UDP4: 'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
  'line feed only': 'PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n',
  'carriage return only': 'PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rX',
  'a tab': 'PROXY\tTCP4 192.0.2.1 198.51.100.2 1 2\r\n',
  'no header': '',
  'a line feed first': '\nPROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n',
  'bytes of TLS': '\x16\x03\x01\x02\x00\x01',
}

const binary: Record<string, string> = {
  INET: v2(0x21, 0x11, INET),
  INET6: v2(0x21, 0x21, INET6),
  'INET with fields': v2(0x21, 0x11, `${INET}${bytes(1, 0, 2)}h2`),
  'INET with broken fields': v2(0x21, 0x11, `${INET}${bytes(1, 0, 9)}h2`),
  'INET too short': v2(0x21, 0x11, INET.slice(1)),
  'INET6 too short': v2(0x21, 0x21, INET6.slice(1)),
  'no payload': v2(0x21, 0x11, ''),
  UNIX: v2(0x21, 0x31, 'x'.repeat(216)),
  UNSPEC: v2(0x21, 0x00, ''),
  'UNSPEC with fields': v2(0x21, 0x01, `${bytes(1, 0, 2)}h2`),
  datagram: v2(0x21, 0x12, INET),
  LOCAL: v2(0x20, 0x00, ''),
  'LOCAL with addresses': v2(0x20, 0x11, INET),
  'unknown command': v2(0x2f, 0x11, INET),
  'unknown family': v2(0x21, 0xf1, INET),
  'version 1': v2(0x11, 0x11, INET),
  'version 3': v2(0x31, 0x11, INET),
  'signature with a fault': v2(0x21, 0x11, INET).replace('QUIT', 'QUIZ'),
  'port 0': v2(0x21, 0x11, INET.slice(0, 8) + bytes(0, 0, 0, 0)),
}
const addresses: number[][] = [
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 1],
  [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201],
  [0, 0, 0, 0, 0, 0, 0xc000, 0x201],
  [0, 0, 0, 0, 0, 0, 0, 0x201],
  [0, 0, 0, 0, 0, 0, 0, 0x2ff],
  [1, 0, 0, 2, 0, 0, 0, 3],
  [1, 0, 0, 2, 0, 0, 3, 4],
  [1, 0, 2, 0, 3, 0, 4, 0],
  [1, 2, 3, 4, 5, 6, 0, 0],
  [0, 0, 3, 4, 5, 6, 7, 8],
  [0xfe80, 0, 0, 0, 0xabc, 0, 0, 0xffff],
]
for (const words of addresses) {
  binary[`INET6 ${words.map((word) => word.toString(16)).join(':')}`] = v2(
    0x21,
    0x21,
    ipv6(...words, ...words) + bytes(0, 1, 0, 2),
  )
}

const cases: ParityCase[] = [
  ...Object.entries(lines).map(([name, header]) => ({ name: `version 1: ${name}`, send: header + GET })),
  ...Object.entries(binary).map(([name, header]) => ({ name: `version 2: ${name}`, send: header + GET })),
  { name: 'the request comes after the header', send: [lines.TCP4!, GET] },
  { name: 'the request comes after a binary header', send: [binary.INET!, GET] },
  { name: 'several requests behind one header', send: lines.TCP4! + get('/') + GET, logged: 2 },
  { name: 'empty lines behind the header', send: `${lines.TCP4}\r\n\r\n${GET}` },
  { name: 'a second header', send: lines.TCP4! + lines.TCP4! + GET },
  { name: 'a broken request behind the header', send: `${lines.TCP4}GET\r\n\r\n` },
  { name: 'a header where none is asked for', port: 3, send: lines.TCP4! + GET },
  { name: 'no header where none is asked for', port: 3, send: GET },
  { name: 'a header without a request', port: 2, send: lines.TCP4!, logged: 0 },
  { name: 'nothing', port: 2, send: '', logged: 0 },
  { name: 'half a request behind the header', port: 2, send: `${lines.TCP4}GET / HT` },
].map((parityCase) => ({ until: 'close' as const, info: true, ...parityCase }))

/** Those that end without a request leave no line. */
const silent =
  /version 1: (port 65536|.*none$|negative|empty port|address with|no server|one port|three|TCP5|lower|UDP4|.*only|a tab|no header|a line feed|bytes)|too short|no payload|version [13]$|a fault/

describeParity(
  'PROXY protocol',
  CONF,
  cases.map((parityCase) => (silent.test(parityCase.name) ? { ...parityCase, logged: 0 } : parityCase)),
)
