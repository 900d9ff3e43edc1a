// What is said of a parameter that is misspelt, or has a value that makes no sense.

import { describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { modules } from '../../../src/worker/modules.ts'

const options = { prefix: '/prefix/', confPrefix: '/conf/' }

function refusal(http: string): string {
  try {
    buildCycle(parseText(`events {}\nhttp {\n${http}\n}`, 'a.conf'), modules, options)
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

describe('an invalid parameter', () => {
  it.each([
    ['upstream u { server 127.0.0.1 wieght=3; }', 'wieght=3', 'weight='],
    ['upstream u { server 127.0.0.1 weight=x; }', 'weight=x', null],
    ['upstream u { server 127.0.0.1 bakup; }', 'bakup', 'backup'],
    ['upstream u { server 127.0.0.1 nothing; }', 'nothing', null],
    ['server { listen 80 default_sever; }', 'default_sever', 'default_server'],
    ['server { listen 80 backlg=5; }', 'backlg=5', 'backlog='],
    [
      'upstream u { server 127.0.0.1; } server { location / { proxy_pass http://u; health_check intervl=5; } }',
      'intervl=5',
      'interval=',
    ],
  ])('%s', (http, parameter, meant) => {
    const hint = meant === null ? '' : `, did you mean "${meant}"?`
    expect(refusal(http)).toBe(`invalid parameter "${parameter}" in a.conf:3${hint}`)
  })
})
