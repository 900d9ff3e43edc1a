// What the slow part sees of a proxy from outside while its clients are at work: memory, and temporary files, those
// without a name too.

import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processTree, residentBytes } from '../../proc.ts'
import { TEMPORARY } from './conf.ts'

/** At one moment. */
export interface Look {
  resident: number
  /** Files in the temporary folders or open without a name, and their bytes. */
  files: number
  fileBytes: number
}

export class ProxyWatch {
  readonly #pids: readonly number[]
  readonly #temporary: string
  readonly #timer: NodeJS.Timeout
  readonly before: Look
  peakResident = 0
  peakFiles = 0
  peakFileBytes = 0

  /** Looks several times a second until `stop`. */
  constructor(pid: number, folder: string) {
    this.#pids = processTree(pid)
    this.#temporary = join(folder, TEMPORARY)
    this.before = this.look()
    this.#timer = setInterval(() => this.#note(), 250)
  }

  stop(): Look {
    clearInterval(this.#timer)
    return this.look()
  }

  #note(): void {
    const { resident, files, fileBytes } = this.look()
    this.peakResident = Math.max(this.peakResident, resident)
    this.peakFiles = Math.max(this.peakFiles, files)
    this.peakFileBytes = Math.max(this.peakFileBytes, fileBytes)
  }

  look(): Look {
    const sizes = [...this.#named(), ...this.#nameless()]
    return {
      resident: residentBytes(this.#pids),
      files: sizes.length,
      fileBytes: sizes.reduce((sum, size) => sum + size, 0),
    }
  }

  #named(): number[] {
    return names(this.#temporary, true)
      .map((name) => sizeOf(join(this.#temporary, name)))
      .filter((size) => size !== null)
  }

  #nameless(): number[] {
    return this.#pids.flatMap((pid) =>
      names(`/proc/${pid}/fd`, false).flatMap((descriptor) => {
        const link = `/proc/${pid}/fd/${descriptor}`
        const target = targetOf(link)
        const size = target.startsWith(this.#temporary) && target.endsWith(' (deleted)') ? sizeOf(link) : null
        return size === null ? [] : [size]
      }),
    )
  }
}

/** Bytes of a file; null for what is none, or is gone by now. */
function sizeOf(path: string): number | null {
  try {
    const stat = statSync(path)
    return stat.isFile() ? stat.size : null
  } catch {
    return null
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}

function names(folder: string, recursive: boolean): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' })
  } catch {
    return []
  }
}
