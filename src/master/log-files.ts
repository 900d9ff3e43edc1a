// Descriptors of the log files that workers write to: those of the running Cycle, and those that only earlier Cycles
// name, which stay open until no worker has a request of them any more. The master opens and closes all of them here.

import { closeLogFiles } from './master-log.ts'

/** Descriptors by absolute path. */
export type LogFiles = Record<string, number>

/** What only a Cycle of the past names; `users` may still write to it. */
interface Retired<User> {
  files: LogFiles
  users: Set<User>
}

export class LogFileTable<User> {
  #current: LogFiles
  /** By generation, ascending. */
  readonly #retired = new Map<number, Retired<User>>()

  /** Takes over `files`. */
  constructor(files: LogFiles) {
    this.#current = files
  }

  get current(): LogFiles {
    return this.#current
  }

  /** `files` are in use from now on; what only `generation`, the Cycle before, names is kept for `users`. */
  replace(files: LogFiles, generation: number, users: readonly User[]): void {
    const entries = Object.entries(this.#current).filter(([path]) => !(path in files))
    if (entries.length > 0) {
      this.#retired.set(generation, { files: Object.fromEntries(entries), users: new Set(users) })
    }
    this.#current = files
  }

  /** `user` has no Cycle before that generation any more: closes what nobody uses. */
  release(before: number, user: User): void {
    for (const [generation, { files, users }] of this.#retired) {
      if (generation >= before) continue
      users.delete(user)
      if (users.size > 0) continue
      this.#retired.delete(generation)
      closeLogFiles(files, this.#current)
    }
  }

  /**
   * Opens every file anew by `open`; one for which it gives null stays as it is. Returns what is open now, and the
   * descriptors in whose place it is, to be closed when nobody writes to them any more. A file has one descriptor from
   * then on: where several Cycles name it, the newest of them owns it, because it is the last to go.
   */
  reopen(open: (path: string) => number | null): { files: LogFiles; replaced: LogFiles[] } {
    const files: LogFiles = {}
    const kept = new Set<string>()
    const replaced: LogFiles[] = []
    const anew = (old: LogFiles): LogFiles => {
      const own: LogFiles = {}
      for (const [path, fd] of Object.entries(old)) {
        const owned = path in files
        const opened = owned || kept.has(path) ? null : open(path)
        if (opened !== null) own[path] = files[path] = opened
        if (opened !== null || owned) replaced.push({ [path]: fd })
        else {
          kept.add(path)
          own[path] = fd
        }
      }
      return own
    }
    this.#current = anew(this.#current)
    for (const retired of [...this.#retired.values()].reverse()) retired.files = anew(retired.files)
    return { files, replaced }
  }
}
