// Targets that try to reach files beside the folder a server shows, as what follows the prefix of a location. The files
// they are after are `secret.txt` and what is in `secret/`, next to that folder; some try for the system's own.

/** What two dots are written as. */
const DOTS = [
  ...['..', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%252e%252e', '%25252e%25252e', '..%00', '%00..', '.%00.'],
  ...[
    '%c0%ae%c0%ae',
    '%c0%2e%c0%2e',
    '%e0%80%ae%e0%80%ae',
    '%uff0e%uff0e',
    '%ef%bc%8e%ef%bc%8e',
    '..;',
    '..;a=b',
  ],
  ...[
    '..%3b',
    '..%20',
    '%20..',
    '..%09',
    '..%0a',
    '..%0d',
    '..%0d%0a',
    '..%ff',
    '..%3f',
    '..%23',
    '...',
    '....',
  ],
  ...[
    '%2e',
    '.%2e%2f..',
    '%2e%2e%2f%2e%2e',
    '..%2f..',
    '..%5c..',
    '%5c..',
    '..%5c',
    '..\\',
    '\\..',
    '..\\..\\',
  ],
  ...['.%5c.', '..:', '..::$DATA', '..~1', '~', '..%2e', '%2e%2e%2e', '.', './..', '%2f..', '%2f%2e%2e'],
]

/** What a slash is written as. */
const SLASHES = ['/', '//', '%2f', '%2F', '%5c', '%252f', '/./', '/%2e/', '%c0%af', '%e2%88%95', '%00/']

const FILES = ['secret.txt', 'secret/', 'secret/secret.txt']

function combined(): string[] {
  const targets: string[] = []
  for (const [at, dots] of DOTS.entries()) {
    for (const [turn, slash] of SLASHES.entries()) {
      // Every pair once, the files and the depth in turn.
      const file = FILES[(at + turn) % FILES.length]!
      targets.push(`${`${dots}${slash}`.repeat(1 + ((at * 7 + turn) % 3))}${file}`)
    }
    targets.push(`${dots}/secret.txt`, `x/${dots}/${dots}/secret.txt`, dots)
  }
  return targets
}

const WRITTEN_OUT = [
  ...[
    '..',
    '../',
    '../secret.txt',
    '../../secret.txt',
    '../secret/',
    '../secret',
    '..secret.txt',
    '.../secret.txt',
  ],
  ...['../html/../secret.txt', 'sub/../../secret.txt', 'sub/../../secret/', 'sub/./../../secret.txt'],
  ...[
    'sub/deep/../../../secret.txt',
    'sub//../../secret.txt',
    'sub//..//..//secret.txt',
    'none/../../secret.txt',
  ],
  ...[
    'page.html/../../secret.txt',
    'page.html/..',
    'page.html/../secret.txt',
    'page.html%00/../../secret.txt',
  ],
  ...[
    'page.html%00.txt',
    'page.html%00',
    '%00',
    '%00../secret.txt',
    'secret.txt%00.html',
    '../secret.txt%00.html',
  ],
  ...['?/../secret.txt', '#/../secret.txt', '?../secret.txt', 'x?a=../secret.txt', '?file=../secret.txt'],
  ...['?file=/../secret.txt', '?file=..%2fsecret.txt', '?file=%2e%2e/secret.txt', '?file=/etc/passwd'],
  ...['?file=-secret.txt', '?file=/./../secret.txt', '?file=sub/../../secret.txt', '?file=//..//secret.txt'],
  ...[
    'x?file=../secret.txt',
    'x?file=/../secret/',
    'x?file=/../secret/secret.txt',
    'sub/?file=../../secret.txt',
  ],
  ...['sub/?file=../../secret/secret.txt', '?file=@named', '?file=/../../../../../../../../etc/passwd'],
  ...[
    '/etc/passwd',
    '//etc/passwd',
    '%2fetc%2fpasswd',
    '/%2fetc/passwd',
    '../../../../../../../../etc/passwd',
  ],
  ...['..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd', '/../../../../../../../../../etc/passwd%00.html'],
  ...[
    '%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    'proc/self/environ',
    '/proc/self/cwd/secret.txt',
  ],
  ...['file:///etc/passwd', 'file%3a///etc/passwd', 'c:/secret.txt', 'C:%5csecret.txt', '%5c%5chost%5cshare'],
  ...[
    '%2',
    '%',
    '%%',
    '%2%2e',
    '%2e%2',
    '%zz/../secret.txt',
    '%2e%2e%',
    '%u002e%u002e/secret.txt',
    '&#46;&#46;/',
  ],
  ...[
    '..%01/secret.txt',
    '..%7f/secret.txt',
    '..\x01/secret.txt',
    '..\xff/secret.txt',
    '\xc0\xae\xc0\xae/secret.txt',
  ],
  ...['.%0d./secret.txt', '.%0a./secret.txt', '.\t./secret.txt', '..%u2215secret.txt', '..%u2216secret.txt'],
  ...[
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a target as hostile clients send it
    '${..}/secret.txt',
    '$document_root/../secret.txt',
    '~root/',
    '~/secret.txt',
    '*',
    '.*',
    '..*',
    '[.][.]/',
  ],
  ...[
    `${'../'.repeat(200)}secret.txt`,
    `${'x/../'.repeat(100)}../secret.txt`,
    `${'%2e%2e/'.repeat(100)}secret.txt`,
  ],
  ...[
    `${'./'.repeat(300)}../secret.txt`,
    `${'/'.repeat(300)}../secret.txt`,
    `${'a'.repeat(300)}/../../secret.txt`,
  ],
  ...[
    '.git/',
    '.htpasswd',
    '.',
    './',
    './.',
    './/',
    '/.',
    '/..',
    '/../',
    '//..',
    '//../',
    '/./..',
    '/.//..',
    '..;/',
  ],
]

/** Each once, without the slash that follows a location's prefix. */
export const HOSTILE_TARGETS: readonly string[] = [...new Set([...WRITTEN_OUT, ...combined()])]
