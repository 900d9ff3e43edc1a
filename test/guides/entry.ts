// What the tables of the guides' configurations consist of, and what many of them promise.

import { expect } from 'vitest'
import type { GuideRun } from './run.ts'

/** One configuration of a guide. */
export interface Entry {
  /** What the guide shows with it. */
  shows: string
  /** Number of the block in the guide, from 0. */
  block: number
  /** Only the n-th (from 0) of the block's statements, those in `server` included, that begin with this word. */
  only?: readonly [word: string, index: number]
  /** The first text is replaced by the second, which the guide speaks of. */
  instead?: readonly [string, string]
  /** The guide is wrong: nginx (and weir, once `waitsFor` is empty) refuses the block with this. */
  refused?: string
  /** Added to the http block: what the guide has forgotten. */
  http?: string
  /** What lies where the guide's paths lead. */
  files?: Record<string, string>
  /** Directives, parameters (`server backup`) and variables (`$x`) that weir does not have yet; it runs without them. */
  waitsFor?: readonly string[]
  /** Does what the text says; default: the configuration is accepted. */
  check?: (run: GuideRun) => Promise<void>
}

/** The backend called `name` gets what the guides call the essential headers for a request to `host`. */
export async function expectEssentialHeaders(
  run: GuideRun,
  name: string,
  host: string,
  lines: readonly string[] = ['X-Forwarded-Proto: http'],
): Promise<void> {
  const answer = await run.get(host, '/some/page?a=1', 'X-Forwarded-For: 203.0.113.7')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
  const received = run.received(name)
  expect(received[0]).toMatch(/^GET \/some\/page\?a=1 HTTP\/1\.[01]$/)
  expect(received).toEqual(
    expect.arrayContaining([
      `Host: ${host}`,
      'X-Real-IP: 127.0.0.1',
      'X-Forwarded-For: 203.0.113.7, 127.0.0.1',
      ...lines,
    ]),
  )
}

/** An upgrade passes to the backend called `name`, and what it sends behind its 101 passes back. */
export async function expectUpgrade(
  run: GuideRun,
  name: string,
  host: string,
  target: string,
): Promise<void> {
  run.backend(name).answer = {
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello',
    after: 'end',
  }
  const answer = await run.upgrade(host, target)
  expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
  expect(answer).toMatch(/\r\n\r\nhello$/)
  expect(run.received(name)).toEqual(expect.arrayContaining(['Upgrade: websocket', 'Connection: upgrade']))
}

/** `count` requests reach the backends as `shares` says, in the order the guide names them. */
export async function expectShares(run: GuideRun, host: string, shares: readonly number[]): Promise<void> {
  const count = shares.reduce((sum, share) => sum + share)
  for (let index = 0; index < count; index++) await run.get(host, '/')
  expect(run.counts()).toEqual(shares)
}

/** A second request uses the connection to the backend called `name` again. */
export async function expectKeptConnection(run: GuideRun, name: string, host: string): Promise<void> {
  await run.get(host, '/')
  await run.get(host, '/')
  expect(run.backend(name).connections).toBe(1)
}

const MEGABYTE = 1024 * 1024

/** Uploads to `target` may be of so many megabytes: more is refused, less is not. */
export async function expectUploads(run: GuideRun, target: string, megabytes: number): Promise<void> {
  const head = (length: number) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n`
  const answer = await run.send(`${head(megabytes * MEGABYTE + 1)}Expect: 100-continue\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 413 Request Entity Too Large\r\n/)
  const upload = 'x'.repeat(2 * MEGABYTE)
  expect(await run.send(`${head(upload.length)}\r\n${upload}`)).toMatch(/^HTTP\/1\.1 200 /)
}
