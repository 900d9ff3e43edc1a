import { describe, expect, it } from 'vitest'
import type { Request } from '../../../src/worker/http/request.ts'
import { type FailureKind, failureStatus, mayTryAgain } from '../../../src/worker/upstream/next.ts'

const request = (method: string, headSent = false) => ({ client: { method }, headSent }) as Request

describe('mayTryAgain', () => {
  // [method, kind, request sent, body sent, head sent] -> answer
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
    '%s, %s, request sent %s, body sent %s, head sent %s: %s',
    (method, kind, requestSent, bodySent, headSent, may) => {
      expect(mayTryAgain(request(method, headSent), { kind, message: '' }, { requestSent, bodySent })).toBe(
        may,
      )
    },
  )
})

describe('failureStatus', () => {
  it.each<[FailureKind, number]>([
    ['error', 502],
    ['invalid_header', 502],
    ['timeout', 504],
  ])('of %s is %i', (kind, status) => {
    expect(failureStatus({ kind, message: '' })).toBe(status)
  })
})
