// bench/results/soak.md: a section for each part of the soak. A run of one part leaves the others as they are.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** What a part has to tell. */
export interface Section {
  title: string
  /** Markdown. */
  text: string
  good: boolean
}

/** `file` with this section in the place of the one that had its title, or at the end. */
export function saveSection(file: string, section: Section): void {
  writeFileSync(file, withSection(existsSync(file) ? readFileSync(file, 'utf8') : '', section))
}

export function withSection(text: string, { title, text: content }: Section): string {
  const sections = text.split(/^(?=## )/m).filter((part) => part.startsWith('## '))
  const made = `## ${title}\n\n${content.trim()}\n`
  const at = sections.findIndex((part) => part.startsWith(`## ${title}\n`))
  const all = at < 0 ? [...sections, made] : sections.with(at, made)
  return `${all.map((part) => part.trim()).join('\n\n')}\n`
}
