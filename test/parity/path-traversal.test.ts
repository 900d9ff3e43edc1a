// Targets that try to leave a folder: what they are answered is what nginx answers, where nginx keeps them in.

import { afterAll } from 'vitest'
import { HOSTILE_TARGETS } from '../corpus/hostile-targets.ts'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeGenerated } from './generated.ts'
import { get, LOGGING } from './requests.ts'

const TREE = makeTree({
  'html/page.html': 'page\n',
  'html/sub/index.html': 'index\n',
  'html/sub/deep/page.html': 'page\n',
  'html/...': 'three dots\n',
  'html/secret/page.html': 'an open secret\n',
  'html/a b': 'blank\n',
  'secret.txt': 'secret\n',
  'secret/secret.txt': 'secret\n',
})
afterAll(() => removeFolder(TREE))

const HTTP = `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    server_name localhost;
    root ${TREE}/html;
    location /alias/ { alias ${TREE}/html/; }
    location /try/ { alias ${TREE}/html/; try_files $uri $uri/ =404; }
    location ~ ^/regex/(.*)$ { alias ${TREE}/html/$1; }
    location /outer/ { alias ${TREE}/html/; location /outer/sub/ { alias ${TREE}/html/sub/deep/; } }
    location /list/ { alias ${TREE}/html/; autoindex on; }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name unmerged;
    merge_slashes off;
    root ${TREE}/html;
  }
`

const PREFIXES = ['/', '/sub/', '/alias/', '/try/', '/regex/', '/outer/', '/outer/sub/', '/list/', '']

// Line feeds stand in nginx's log as they are, and cut its lines.
const TARGETS = HOSTILE_TARGETS.filter((target) => target.length < 400 && !target.includes('%0a'))

// Every target once, the prefixes in turn.
const cases = TARGETS.map((target, at) => {
  const whole = PREFIXES[at % PREFIXES.length]! + target
  const host = at % 5 === 0 ? 'unmerged' : 'localhost'
  return { name: whole, send: get(whole, `Host: ${host}`), logged: 'answers' as const }
})

describeGenerated('path traversal', HTTP, cases, 100)
