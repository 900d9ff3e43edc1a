// The lists that `$upstream_*` variables are, over attempts and over the locations a request went through.

import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/worker/http/fields.ts'
import type { Request } from '../../../src/worker/http/request.ts'
import { enterUpstream, type UpstreamState } from '../../../src/worker/upstream/states.ts'

const address = (state: UpstreamState) => state.peer
const status = ({ status }: UpstreamState) => (status === 0 ? null : String(status))

function request(): Request {
  const r: Pick<Request, 'upstream'> = { upstream: null }
  return r as Request
}

describe('the attempts of a request', () => {
  it('stand in a row with commas, a dash for what is missing', () => {
    const states = enterUpstream(request(), { host: 'a', port: '80' })
    states.begin('192.0.2.1:80').status = 502
    states.begin('192.0.2.2:80')
    expect(states.join(address)).toBe('192.0.2.1:80, 192.0.2.2:80')
    expect(states.join(status)).toBe('502, -')
  })

  it('of another location follow a colon', () => {
    const r = request()
    const first = enterUpstream(r, { host: 'a', port: '80' })
    for (const peer of ['a', 'b']) first.begin(peer).status = 502
    const second = enterUpstream(r, { host: 'b', port: '81' })
    second.begin('c').status = 200
    second.begin('d').status = 201
    expect(second).toBe(first)
    expect(r.upstream?.name).toEqual({ host: 'b', port: '81' })
    expect(second.join(address)).toBe('a, b : c, d')
    expect(second.join(status)).toBe('502, 502 : 200, 201')
  })

  it('do not show fields of the location before', () => {
    const r = request()
    const first = enterUpstream(r, { host: 'a', port: '80' })
    first.fields = new Fields()
    first.trailers = new Fields()
    first.source = { url: () => '' }
    const states = enterUpstream(r, { host: 'b', port: '80' })
    expect(states).toMatchObject({ fields: null, trailers: null, source: null })
  })
})
