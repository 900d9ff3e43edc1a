// `match`: what each of its tests makes of answers, and what is refused.

import { describe, expect, it } from 'vitest'
import { RegexLimitError } from '../../../../src/worker/http/regex.ts'
import { ResponseHead } from '../../../../src/worker/http1/response-head.ts'
import { checkConf, checksOf, refusal } from '../../../support/health.ts'

interface Answer {
  status?: number
  fields?: string[]
  body?: string
}

/** What comes of the tests on an answer: `checked` where they pass, `! checked` where they do not. */
function outcome(tests: string, { status = 200, fields = [], body = '' }: Answer, http = ''): string {
  const [check] = checksOf(
    checkConf({ http: `${http} match m { ${tests} }`, location: 'health_check match=m;' }),
  )
  const head = new ResponseHead()
  head.read(`HTTP/1.1 ${status} X\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`)
  const r = check!.requests.make()
  const state = r.upstream!.begin('127.0.0.1:1')
  state.status = status
  r.upstream!.fields = head.fields
  const first = check!.match.checkHead(status, head.fields)
  const { passed, checked } = first.passed ? check!.match.checkRest(first, body, r) : first
  return passed ? checked : `! ${checked}`
}

describe('status', () => {
  it.each([
    ['200', 200, true],
    ['200', 204, false],
    ['! 500', 200, true],
    ['! 500', 500, false],
    ['200 204', 204, true],
    ['200 204', 201, false],
    ['! 301 302', 303, true],
    ['! 301 302', 302, false],
    ['200-399', 200, true],
    ['200-399', 399, true],
    ['200-399', 400, false],
    ['! 400-599', 399, true],
    ['! 400-599', 599, false],
    ['301-303 307', 302, true],
    ['301-303 307', 307, true],
    ['301-303 307', 304, false],
  ])('status %s, an answer with %i: %s', (args, status, passes) => {
    expect(outcome(`status ${args};`, { status })).toBe(passes ? 'status code' : '! status code')
  })
})

describe('header', () => {
  it.each([
    ['Content-Type = text/html', ['content-type: text/html'], true],
    ['Content-Type = text/html', ['Content-Type: text/plain'], false],
    ['Content-Type = text/html', [], false],
    ['Content-Type != text/html', ['Content-Type: text/plain'], true],
    ['Content-Type != text/html', ['Content-Type: text/html'], false],
    ['Content-Type != text/html', [], false],
    ['X-A ~ ^b+$', ['X-A: bb'], true],
    ['X-A ~ ^b+$', ['X-A: abb'], false],
    ['X-A ~* ^B+$', ['X-A: bb'], true],
    ['X-A !~ close', ['X-A: open'], true],
    ['X-A !~ close', ['X-A: closed'], false],
    ['X-A !~ close', [], false],
    ['X-A !~* CLOSE', ['X-A: closed'], false],
    ['X-A', ['x-a: 1'], true],
    ['X-A', ['X-AB: 1'], false],
    ['! X-A', ['X-AB: 1'], true],
    ['! X-A', ['X-A: 1'], false],
    ['X-A = 2', ['X-A: 1', 'X-A: 2'], true],
    ['X-A != 2', ['X-A: 1', 'X-A: 2'], false],
  ])('header %s, an answer with %j: %s', (args, fields, passes) => {
    expect(outcome(`header ${args};`, { fields })).toBe(passes ? 'header' : '! header')
  })
})

describe('body', () => {
  it.each([
    ['~ "all w.ll"', 'yes, all well', true],
    ['~ "all w.ll"', 'not well', false],
    ['!~ maintenance', 'well', true],
    ['!~ maintenance', 'in maintenance mode', false],
    ['~* WELL', 'all well', true],
    ['!~* WELL', 'all well', false],
  ])('body %s, an answer of "%s": %s', (args, body, passes) => {
    expect(outcome(`body ${args};`, { body })).toBe(passes ? 'body' : '! body')
  })

  it('a pattern that would take too long on a body is given up', () => {
    expect(() => outcome('body ~ "(a+)+(?=x)\\1$";', { body: 'a'.repeat(5000) })).toThrow(RegexLimitError)
  })
})

describe('require', () => {
  const maps = `map $upstream_status $good { 200 1; 204 yes; 404 0; }
    map $upstream_http_x_a $field { default 1; "" 0; }`

  it.each([
    ['$good', 200, [], true],
    ['$good', 204, [], true],
    [`\${good}`, 200, [], true],
    ['$good', 404, [], false],
    ['$good', 500, [], false],
    ['$good $field', 200, ['X-A: 1'], true],
    ['$good $field', 200, [], false],
    ['$upstream_addr', 200, [], true],
    ['$remote_addr', 200, [], false],
    ['$http_user_agent', 200, [], false],
  ])('require %s, status %i and %j: %s', (args, status, fields, passes) => {
    const expected = passes ? 'required variables' : '! required variables'
    expect(outcome(`require ${args};`, { status, fields }, maps)).toBe(expected)
  })
})

describe('several tests', () => {
  const tests = 'status 200; header X-A; header ! X-B; body ~ a; body ~ b; require $upstream_status;'

  it.each([
    ['all pass', { fields: ['X-A: 1'], body: 'ab' }, 'required variables'],
    ['the status does not', { status: 204, fields: ['X-A: 1'], body: 'ab' }, '! status code'],
    ['a field does not', { fields: ['X-A: 1', 'X-B: 1'], body: 'ab' }, '! header'],
    ['one of the body does not', { fields: ['X-A: 1'], body: 'a' }, '! body'],
  ] as const)('%s', (_what, answer, expected) => {
    expect(outcome(tests, { ...answer, fields: [...answer.fields] })).toBe(expected)
  })

  it('none: any answer will do', () => {
    expect(outcome('', { status: 500 })).toBe('status code')
  })
})

describe('refused', () => {
  it.each([
    ['status;', 'invalid number of arguments in "status" directive'],
    ['status !;', 'invalid number of arguments in "status" directive'],
    ['status 20;', 'invalid status "20"'],
    ['status 2xx;', 'invalid status "2xx"'],
    ['status 300-200;', 'invalid status "300-200"'],
    ['status 200 - 300;', 'invalid status "-"'],
    ['header;', 'invalid number of arguments in "header" directive'],
    ['header A =;', 'invalid number of arguments in "header" directive'],
    ['header A = b c;', 'invalid number of arguments in "header" directive'],
    ['header A == b;', 'invalid operator "==" in "header" directive'],
    ['header "A B";', 'invalid header name "A B"'],
    ['body well;', 'invalid number of arguments in "body" directive'],
    ['body = well;', 'invalid operator "=" in "body" directive'],
    ['body ~ (;', 'pcre2_compile() failed: missing closing parenthesis in "("'],
    ['require good;', 'invalid variable name "good"'],
    ['require $nothing;', 'unknown "nothing" variable'],
    ['expect 200;', 'unknown directive "expect"'],
    ['status { }', 'directive "status" is not terminated by ";"'],
  ])('match { %s }', (tests, message) => {
    expect(refusal(checkConf({ http: `match m { ${tests} }` }))).toContain(`${message} in nginx.conf`)
  })

  it('two of one name', () => {
    expect(refusal(checkConf({ http: 'match m { } match m { }' }))).toContain('duplicate match "m"')
  })

  it('outside of http', () => {
    const conf = checkConf({ location: 'match m { }' })
    expect(refusal(conf)).toContain('"match" directive is not allowed here')
  })
})
