import { describe, expect, it } from 'vitest'
import type { Request } from '../../../src/worker/http/request.ts'
import {
  connectFailure,
  type FailureKind,
  failureStatus,
  mayGoOutAgain,
  mayTryAgain,
  NEXT,
} from '../../../src/worker/upstream/next.ts'
import type { PeerAddress } from '../../../src/worker/upstream/peers.ts'

const request = (method: string, headSent = false) => ({ method, headSent }) as Request
const failureOf = (kind: FailureKind) => ({ kind, reason: 'reset', message: '' }) as const

describe('mayTryAgain', () => {
  // [method, kind, request sent, body spent, head sent] -> answer
  it.each<[string, FailureKind, boolean, boolean, boolean, boolean]>([
    ['GET', 'error', false, false, false, true],
    ['GET', 'error', true, false, false, true],
    ['GET', 'timeout', true, false, false, true],
    ['GET', 'invalid_header', true, false, false, false],
    ['GET', 'error', true, false, true, false],
    ['POST', 'error', false, false, false, true],
    ['POST', 'error', true, false, false, false],
    ['PATCH', 'error', true, false, false, false],
    ['LOCK', 'timeout', true, false, false, false],
    ['PUT', 'error', true, false, false, true],
    ['PUT', 'error', true, true, false, false],
    ['DELETE', 'error', true, false, false, true],
  ])(
    '%s, %s, request sent %s, body spent %s, head sent %s: %s',
    (method, kind, requestSent, bodySpent, headSent, may) => {
      const progress = { requestSent, bodySpent, elapsed: 0 }
      const settings = { conditions: NEXT.error | NEXT.timeout, tries: 0, timeout: 0 }
      expect(mayTryAgain(request(method, headSent), failureOf(kind), progress, settings)).toBe(may)
    },
  )
})

describe('connectFailure', () => {
  const tcp = { name: '192.0.2.1:80', path: null } as PeerAddress
  const unix = { name: 'unix:/run/a', path: '/run/a' } as PeerAddress

  it.each<[string, number, PeerAddress, string, string | undefined]>([
    ['ECONNREFUSED', 111, tcp, 'connect() failed (111: Connection refused)', undefined],
    ['EHOSTUNREACH', 113, tcp, 'connect() failed (113: No route to host)', undefined],
    ['ENETUNREACH', 101, tcp, 'connect() to 192.0.2.1:80 failed (101: Network is unreachable)', 'error'],
    ['EACCES', 13, tcp, 'connect() to 192.0.2.1:80 failed (13: Permission denied)', 'crit'],
    ['ECONNREFUSED', 111, unix, 'connect() to unix:/run/a failed (111: Connection refused)', 'error'],
    ['ENOENT', 2, unix, 'connect() to unix:/run/a failed (2: No such file or directory)', 'crit'],
  ])('%s', (code, number, peer, message, level) => {
    const failure = connectFailure(Object.assign(new Error(code), { code, errno: -number }), peer)
    expect(failure).toMatchObject({ kind: 'error', message })
    expect(failure.level).toBe(level)
  })
})

describe('failureStatus', () => {
  it.each<[FailureKind, number]>([
    ['error', 502],
    ['invalid_header', 502],
    ['timeout', 504],
  ])('of %s is %i', (kind, status) => {
    expect(failureStatus(failureOf(kind))).toBe(status)
  })
})

describe('mayGoOutAgain', () => {
  // [method, request sent, body spent, conditions] -> answer
  it.each<[string, boolean, boolean, number, boolean]>([
    ['GET', true, false, NEXT.off, true],
    ['PUT', true, true, NEXT.error, false],
    ['POST', false, false, NEXT.off, true],
    ['POST', true, false, NEXT.error, false],
    ['POST', true, false, NEXT.non_idempotent, true],
  ])(
    '%s, request sent %s, body spent %s, conditions %i: %s',
    (method, requestSent, bodySpent, conditions, may) => {
      const settings = { conditions, tries: 0, timeout: 0 }
      expect(mayGoOutAgain(request(method), { requestSent, bodySpent }, settings)).toBe(may)
    },
  )
})
