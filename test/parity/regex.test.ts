// Regular expressions of locations: what PCRE2 finds and what $1 to $3 are then. Each case is a location of its own.

import { describeParity } from './compare.ts'
import { get, LOGGING } from './requests.ts'

/** Pattern as it stands behind /N/ in the URI, and the rest of the URIs to ask for. */
const table: readonly [pattern: string, ...rests: string[]][] = [
  [String.raw`(\d+)$`, '123', '12a', '1%0A', '1%0A%0A'],
  [String.raw`(.*)\.(jpg|png)$`, 'a.jpg', 'a.b.png', 'a.jpgx', '%0A.png'],
  ['([^/]+)/([^/]+)/(.*)$', 'a/b/c/d', 'a/b/', 'a'],
  ['(a.c)', 'abc', 'a%0Ac', 'a%0Dc', 'a%E2%80%A8c'],
  ['(a)?(b)?(c)?$', 'ac', 'b', ''],
  ['(?:(a)|b)+(.*)', 'ab', 'ba', 'bb', 'aabx'],
  ['(?:(a)|(b))*(.*)', 'abab', 'ba', ''],
  ['(a*)*(.*)', 'aab', 'b'],
  ['(a|b*)+(.*)', 'abba', 'c'],
  ['(?:x(y)?)+(.*)', 'xyx', 'xxy'],
  ['(a*)?(.*)', 'b', 'aa'],
  ['(a??)(a)', 'a', 'aa'],
  ['(a+?)(a*)$', 'aaa'],
  ['(a++)(a?)(.*)', 'aaab'],
  ['(?>a|ab)(c)', 'ac', 'abc'],
  [String.raw`(\w++)(\d)`, 'ab1'],
  ['(a{2,3}+)(a?)', 'aaaa', 'aa', 'a'],
  ['(a{2})(a{1,}?)(.*)', 'aaaa', 'aa'],
  ['(a{,2})(.*)', 'a{,2}b', 'aa'],
  ['(x{y}})(.*)', 'x{y}}z'],
  ['([]a]+)([^]b]*)', 'a]ac', ']b'],
  [String.raw`([a\-z]+)(.*)`, 'a-zb'],
  ['([a-]+)(.*)', 'a-b'],
  ['([[:alpha:]]+)([[:digit:]]*)([[:punct:]]*)', 'aB12!-', 'é'],
  ['([[:^alpha:]]+)(.*)', '12ab', '%C3%A9'],
  [String.raw`([\w.]+)([\s\d]*)`, 'a.b 1', 'a%A01'],
  [String.raw`(\S+)(\s)(.*)`, 'a%09b', 'a%0Bb', 'a%A0b', 'a%EF%BB%BFb'],
  [String.raw`(\h)(\H*)`, '%20x', '%A0x', '%0Bx'],
  [String.raw`(\v)(\V*)`, '%0Bx', '%85x', '%20x'],
  [String.raw`(a\Rb)`, 'a%0D%0Ab', 'a%0Ab', 'a%85b', 'ab'],
  [String.raw`(\N+)(.*)`, 'ab', 'a%0Ab'],
  [String.raw`(\Qa.b\E)(.*)`, 'a.bc', 'axb'],
  [String.raw`(\x41\x{42}\103\o{104})(.*)`, 'ABCDe'],
  [String.raw`(\/\-\_\.\@)(.*)`, '/-_.@x'],
  ['(?i)(abc)(.*)', 'aBCd', 'ab'],
  ['(a(?i)b)(c)', 'aBc', 'ABc', 'aBC'],
  ['(a(?i:b)c)', 'aBc', 'abC'],
  ['(a|(?i)b|c)(.*)', 'A', 'B', 'C'],
  ['(?i)([^k]+)(.*)', 'aKb', '%E2%84%AA'],
  ['(?i)(é)', '%C3%A9', '%C3%89', '%E9'],
  ['(?s)(a.b)', 'a%0Ab'],
  ['(?s:a.b)(.)(.*)', 'a%0Abc', 'a%0Ab%0A'],
  ['(?m)(a$)(.*)', 'a', 'a%0Ab', 'ab'],
  ['(?s)(.*?)(?m)(^b)', 'a%0Ab', 'ab'],
  ['(?x) ( a b ) # comment', 'ab', 'a b'],
  ['(?U)(a+)(a*)$', 'aaa'],
  ['(?-i)(a)(?#comment)+(b)', 'aab'],
  ['(a)(?=b)(.)', 'ab', 'ac'],
  ['(?!api)(.*)$', 'api/x', 'ap', 'x'],
  [String.raw`(.*)(?<!\.html)$`, 'a.html', 'a.htm', 'a.html%0A'],
  ['(.*)(?<=a|bc)(d)', 'ad', 'bcd', 'cd'],
  ['(?=(a+))(.*)', 'aab'],
  ['(?!(a)b)(.*)', 'ac', 'ab'],
  [String.raw`(a|b)\1(.*)`, 'aa', 'ab', 'bbc'],
  [String.raw`(?:(a)|b)\1(.*)`, 'aa', 'b', 'ba'],
  [String.raw`(?i)(ab)\1(.*)`, 'abAB', 'abac'],
  [String.raw`(a)(b)\g{-1}\g1(.*)`, 'abbac', 'abab'],
  [String.raw`(?<one>a)\k<one>(?P<two>b)(?P=two)\k{one}(.*)`, 'aabbac'],
  [String.raw`(\((?:[^()]++|(?1))*\))(.*)`, '(a(b)c)d', '(a(b)'],
  [String.raw`(?<w>\w)(?:(?R)|x)?(.*)`, 'abx'],
  ['(<)?(a)(?(1)>|b)', '%3Ca%3E', 'ab', 'a%3E'],
  ['(?(?=a)(ab)|(c.))(.*)', 'abx', 'cdx', 'axx'],
  [String.raw`(?(DEFINE)(?<octet>\d{1,3}))((?&octet)\.(?&octet))$`, '10.255', '10.2555'],
  ['(?|a(.)|b(.)x)(.*)', 'a1', 'b2x', 'b2y'],
  [String.raw`a\K(b)(.*)`, 'abc'],
  ['(a)(*FAIL)|(b)', 'b', 'a'],
  [String.raw`(\bfoo\b)(.*)`, 'foo-bar', 'foobar', 'foo%E9'],
  [String.raw`(a\b.)(\B.)`, 'a-b', 'a--'],
  [String.raw`(ab\z)`, 'ab', 'ab%0A'],
  [String.raw`(ab\Z)`, 'ab', 'ab%0A', 'ab%0A%0A'],
  ['(ab$)(.*)', 'ab%0A'],
  ['(|a)+(.*)', 'aab'],
  [String.raw`([\b]|x)(.*)`, '%08a', 'b'],
  [String.raw`([\\]+)(.*)`, '%5Ca'],
]

/** As an argument of the configuration. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`

const locations = table.map(
  ([pattern], index) =>
    `    location ~ ${quoted(`^/${index}/${pattern}`)} { return 200 "${index} $1|$2|$3 $uri"; }`,
)

describeParity(
  'regular expressions',
  `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    location / { return 404 "none $uri"; }
${locations.join('\n')}
  }`,
  table.flatMap(([pattern, ...rests], index) =>
    rests.map((rest) => ({ name: `${pattern} on ${rest}`, send: get(`/${index}/${rest}`) })),
  ),
)

describeParity(
  'captures of regular expressions',
  `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    server_name ~^(?<Sub>[a-z]+)\\.(?P<zone>example)\\.(com|net)$;
    location / { return 200 "$1|$2|$3 sub=$sub zone=$zone $SUB"; }
    location ~ ^/none { return 200 "$1|$2|$3 sub=$sub"; }
    location ~ ^/one/(.) { return 200 "$1|$2|$3 sub=$sub"; }
    location ~ ^/sub/(?<sub>x)? { return 200 "$1|$2|$3 sub=$sub"; }
    location ~ ^/outer/(.)/ {
      return 200 "outer $1|$2";
      location ~ /(b)/$ { return 200 "inner $1|$2"; }
    }
    location ~ ^/twice/(?J)(?:(?<word>a)|(?<word>b)) { return 200 "word=$word $1|$2"; }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name ~^UP(?<rest>.*)\\.TEST$ ~^low(\\d)$;
    return 200 "rest=$rest $1";
  }
  server { listen 127.0.0.1:%PORT% default_server; return 200 "default $1"; }`,
  [
    { name: 'of the server name', send: get('/', 'Host: abc.example.com') },
    { name: 'of the server name, lowered', send: get('/', 'Host: ABC.Example.NET') },
    { name: 'a match without groups empties them', send: get('/none', 'Host: abc.example.com') },
    { name: 'of the last match', send: get('/one/x', 'Host: abc.example.com') },
    { name: 'a name again', send: get('/sub/x', 'Host: abc.example.com') },
    { name: 'a name again, not set', send: get('/sub/', 'Host: abc.example.com') },
    { name: 'of an inner location', send: get('/outer/a/b/', 'Host: abc.example.com') },
    { name: 'of the outer location', send: get('/outer/a/c/', 'Host: abc.example.com') },
    { name: 'one name for two groups, the first set', send: get('/twice/a', 'Host: abc.example.com') },
    { name: 'one name for two groups, the second set', send: get('/twice/b', 'Host: abc.example.com') },
    { name: 'capitals in a server name make it ignore case', send: get('/', 'Host: upper.test') },
    { name: 'the server name that is all lower case', send: get('/', 'Host: low7') },
    { name: 'no server name', send: get('/', 'Host: nobody') },
  ],
)
