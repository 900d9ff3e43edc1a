// Files a thread holds, by path. What is held is good for a while without a look at the disk; then its state there
// decides. Bounded in number, and in memory over all caches of the thread.

import { type Stats, statSync } from 'node:fs'
import { HeldContent, hasRoom } from '../../../http/held-content.ts'
import { monotonicNow } from '../../../tick.ts'
import { type LinkRule, statGuarded } from './guarded-open.ts'
import { loadFile, MEDIUM, type OpenFile, SMALL } from './open-file.ts'
import { fileName } from './path.ts'

export interface CacheSettings {
  /** Files at most. */
  max: number
  /** Milliseconds after which a file that nobody asks for is let go. */
  inactive: number
  /** Milliseconds for which what is known of a file is not doubted. */
  valid: number
  /** How often a file has to be asked for, with pauses no longer than `inactive`, to be held. */
  minUses: number
  /** What could not be opened is held too. */
  errors: boolean
  /** Directories and large files are held too, these with their descriptors. */
  all: boolean
}

interface Entry {
  /** null: it has not been asked for often enough. */
  file: OpenFile | null
  uses: number
  /** When it was last asked for, and last looked at on the disk. */
  used: number
  checked: number
}

/** A file being read; `others` wait for it beside the request it is read for. */
interface Loading {
  readonly file: Promise<OpenFile>
  others: number
}

/** Shortest pause between two looks for files that nobody asks for. */
const SWEEP = 1000
/** And at most so long: `inactive` may be longer than timers run. */
const LONGEST_PAUSE = 3_600_000

export class FileCache {
  readonly #settings: CacheSettings
  /** Those that were looked at least recently come first. */
  readonly #entries = new Map<string, Entry>()
  readonly #loading = new Map<string, Loading>()
  #sweeping = false

  constructor(settings: CacheSettings) {
    this.#settings = settings
  }

  /** The file called `path` (latin1), reached by links as `rule` says; the caller releases it. */
  open(path: string, rule: LinkRule | null = null): OpenFile | Promise<OpenFile> {
    const key = keyOf(path, rule)
    const entry = this.#entries.get(key)
    if (entry === undefined) return this.#load(path, rule, 1)
    const { valid, inactive } = this.#settings
    const time = monotonicNow()
    const idle = time - entry.used > inactive
    entry.uses = idle ? 1 : entry.uses + 1
    entry.used = time
    const { file } = entry
    if (file !== null && !idle && !(entry.uses > 1 && isMedium(file))) {
      if (time - entry.checked < valid || this.#check(key, entry, file, rule)) return file.hold()
    }
    this.#drop(key, entry)
    return this.#load(path, rule, entry.uses)
  }

  /** As `open`; null where there is no such file and that is not held either. */
  openIfThere(path: string, rule: LinkRule | null): OpenFile | Promise<OpenFile> | null {
    const known = this.#settings.errors || this.#entries.has(keyOf(path, rule))
    return known || isThere(path) ? this.open(path, rule) : null
  }

  /** What is held of the file, for a look at what it is; null: nothing that is so still. */
  find(path: string, rule: LinkRule | null = null): OpenFile | null {
    const key = keyOf(path, rule)
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.file === null) return null
    const { valid, inactive } = this.#settings
    const time = monotonicNow()
    if (time - entry.used > inactive) return null
    return time - entry.checked < valid || this.#check(key, entry, entry.file, rule) ? entry.file : null
  }

  /** Compares `file` with what is on the disk. */
  #check(key: string, entry: Entry, file: OpenFile, rule: LinkRule | null): boolean {
    if (!unchanged(file, rule)) return false
    entry.checked = monotonicNow()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return true
  }

  async #load(path: string, rule: LinkRule | null, uses: number): Promise<OpenFile> {
    const key = keyOf(path, rule)
    const other = this.#loading.get(key)
    if (other !== undefined) {
      other.others++
      const file = await other.file
      // What could not be opened then may be there since.
      return file.failure === null ? file : loadFile(path, SMALL, rule)
    }
    const loading: Loading = { file: loadFile(path, uses > 1 ? MEDIUM : SMALL, rule), others: 0 }
    this.#loading.set(key, loading)
    const file = await loading.file
    this.#loading.delete(key)
    for (let count = 0; count < loading.others; count++) file.hold()
    this.#keep(key, file, uses + loading.others)
    return file
  }

  #keep(key: string, file: OpenFile, uses: number): void {
    const { max, minUses } = this.#settings
    const held = uses >= minUses && this.#wants(file)
    if (!held && uses >= minUses && !isMedium(file)) return
    const size = held ? contentSize(file) : 0
    for (const [other, entry] of this.#entries) {
      if (this.#entries.size < max && hasRoom(size) && !this.#isIdle(entry)) break
      this.#drop(other, entry)
    }
    if (!hasRoom(size)) return
    if (size > 0) file.held = new HeldContent(size, (bytes) => this.#makeRoom(bytes))
    const time = monotonicNow()
    this.#entries.set(key, { file: held ? file.hold() : null, uses, used: time, checked: time })
    this.#sweepLater()
  }

  /** Lets those go that nobody has asked for longest. */
  #makeRoom(bytes: number): boolean {
    for (const [key, entry] of this.#entries) {
      if (hasRoom(bytes)) break
      this.#drop(key, entry)
    }
    return hasRoom(bytes)
  }

  /** Descriptors and memory go back even where nothing is asked for any more. */
  #sweepLater(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    const sweep = (): void => {
      this.#sweeping = false
      for (const [key, entry] of this.#entries) if (this.#isIdle(entry)) this.#drop(key, entry)
      if (this.#entries.size > 0) this.#sweepLater()
    }
    setTimeout(sweep, Math.min(Math.max(SWEEP, this.#settings.inactive), LONGEST_PAUSE)).unref()
  }

  #wants(file: OpenFile): boolean {
    if (file.failure !== null) return this.#settings.errors
    return file.kind !== 'other' && (this.#settings.all || file.bytes !== null)
  }

  #isIdle(entry: Entry): boolean {
    return monotonicNow() - entry.used > this.#settings.inactive
  }

  #drop(key: string, { file }: Entry): void {
    this.#entries.delete(key)
    if (file === null) return
    file.held?.release()
    file.held = null
    file.release()
  }
}

/** It is to be read as a whole the next time. */
function isMedium(file: OpenFile): boolean {
  return file.bytes === null && file.kind === 'file' && file.size <= MEDIUM
}

function contentSize(file: OpenFile): number {
  return file.bytes?.length ?? 0
}

/** Whatever cannot be said of it is found when it is opened. */
function isThere(path: string): boolean {
  try {
    return statSync(fileName(path), { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** One path reached by different rules is different files. */
function keyOf(path: string, rule: LinkRule | null): string {
  return rule === null ? path : rule.key + path
}

function unchanged(file: OpenFile, rule: LinkRule | null): boolean {
  if (rule !== null) {
    const found = statGuarded(file.path, rule)
    return !('error' in found) && file.isOf(found)
  }
  let stats: Stats | undefined
  try {
    stats = statSync(fileName(file.path), { throwIfNoEntry: false })
  } catch {
    // Whatever it is will be found when it is opened.
  }
  return stats !== undefined && file.isOf(stats)
}
