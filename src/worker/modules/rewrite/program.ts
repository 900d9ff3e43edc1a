// The directives of the rewrite module in one block, in the order they stand: nginx's "codes". Each is a step; a block
// runs its steps one after the other until one ends it.

import type { Scope } from '../../../shared/conf/build.ts'
import { DECLINED, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'

/** A step's answer: the next step runs. Every other answer is the handler's: DECLINED ends the steps. */
export const NEXT = -1

/** One directive at work: NEXT, or what the handler of the phase answers. */
export type Step = (r: Request) => Result

export class Program {
  readonly #steps: Step[] = []

  add(step: Step): void {
    this.#steps.push(step)
  }

  /** Runs the steps; NEXT where none has ended them. */
  run(r: Request): Result {
    for (const step of this.#steps) {
      const result = step(r)
      if (result !== NEXT) return result
    }
    return NEXT
  }

  /** As a handler of the phase. */
  handle(r: Request): Result {
    const result = this.run(r)
    return result === NEXT ? DECLINED : result
  }
}

const programs = new WeakMap<Scope, Program>()

/** The steps of a block, made where it has none yet. */
export function programOf(scope: Scope): Program {
  let program = programs.get(scope)
  if (program === undefined) programs.set(scope, (program = new Program()))
  return program
}

/** The steps of a block, or null. */
export function existingProgram(scope: Scope): Program | null {
  return programs.get(scope) ?? null
}
