// The listings of `autoindex`, byte for byte as nginx writes them: a page, JSON, JSONP or XML. All text is latin1, one
// character a byte of the file's name.

import { formatHttpDate } from '../../../../shared/clock.ts'

/** One file of the folder. */
export interface Entry {
  name: string
  kind: 'directory' | 'file' | 'other'
  /** Seconds since the epoch. */
  modified: number
  size: number
}

/** How the page shows entries. */
export interface PageStyle {
  /** Sizes in bytes, not rounded to K, M or G. */
  exactSize: boolean
  /** Seconds to add to UTC. */
  zone: number
  /** The page's charset is UTF-8: names are as wide as they have characters. */
  utf8: boolean
}

/** Width of the column of names. */
const WIDTH = 50
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Folders first, then by the bytes of their names. */
export function sortEntries(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => {
    const folders = Number(b.kind === 'directory') - Number(a.kind === 'directory')
    return folders !== 0 ? folders : a.name < b.name ? -1 : 1
  })
}

export function htmlListing(uri: string, entries: readonly Entry[], style: PageStyle): string {
  const title = `Index of ${escapeHtml(uri)}`
  let text =
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<h1>${title}</h1>` +
    '<hr><pre><a href="../">../</a>\r\n'
  for (const entry of entries) {
    text += `${link(entry, style.utf8)} ${pageDate(entry.modified + style.zone)} ${pageSize(entry, style)}\r\n`
  }
  return `${text}</pre><hr></body>\r\n</html>\r\n`
}

/** The link to an entry, and blanks behind it up to the column's width. */
function link({ name, kind }: Entry, utf8: boolean): string {
  const slash = kind === 'directory' ? '/' : ''
  const start = `<a href="${escapeComponent(name)}${slash}">`
  const characters = (utf8 ? utf8Characters(name) : null) ?? name
  if (characters.length > WIDTH) {
    const shown = characters.slice(0, WIDTH - 3)
    return `${start}${escapeHtml(typeof shown === 'string' ? shown : shown.join(''))}..&gt;</a>`
  }
  const behind = characters.length < WIDTH ? slash : ''
  return `${start}${escapeHtml(name)}${behind}</a>${' '.repeat(WIDTH - characters.length - behind.length)}`
}

function pageDate(seconds: number): string {
  const date = new Date(seconds * 1000)
  const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
}

function pageSize({ kind, size }: Entry, { exactSize }: PageStyle): string {
  const width = exactSize ? 19 : 7
  if (kind === 'directory') return '-'.padStart(width)
  if (exactSize) return String(size).padStart(width)
  const [amount, unit] = rounded(size)
  return unit === '' ? ` ${String(amount).padStart(6)}` : String(amount).padStart(6) + unit
}

const K = 1024
const M = 1024 * K
const G = 1024 * M

/** To the nearest whole unit, the half upwards. */
function rounded(size: number): [amount: number, unit: string] {
  if (size >= G) return [Math.floor(size / G + 0.5), 'G']
  if (size >= M) return [Math.floor(size / M + 0.5), 'M']
  if (size > 9999) return [Math.floor(size / K + 0.5), 'K']
  return [size, '']
}

export function jsonListing(entries: readonly Entry[]): string {
  const items = entries.map(({ name, kind, modified, size }) => {
    const time = formatHttpDate(new Date(modified * 1000))
    const bytes = kind === 'file' ? `, "size":${size}` : ''
    return `\r\n{ "name":"${escapeJson(name)}", "type":"${kind}", "mtime":"${time}"${bytes} }`
  })
  return `[${items.join(',')}\r\n]`
}

export function jsonpListing(entries: readonly Entry[], callback: string): string {
  return `/* callback */\r\n${callback}(${jsonListing(entries)});`
}

export function xmlListing(entries: readonly Entry[]): string {
  let text = '<?xml version="1.0"?>\r\n<list>\r\n'
  for (const { name, kind, modified, size } of entries) {
    const time = new Date(modified * 1000).toISOString().replace(/\.\d+/, '')
    const bytes = kind === 'file' ? ` size="${size}"` : ''
    text += `<${kind} mtime="${time}"${bytes}>${escapeHtml(name)}</${kind}>\r\n`
  }
  return `${text}</list>\r\n`
}

/** Characters of UTF-8 text; null where it is none. */
function utf8Characters(name: string): string[] | null {
  const characters = name.match(
    /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g,
  )
  return characters?.some((character) => character.length === 1 && character > '\x7f') ? null : characters
}

const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => ENTITIES[character]!)
}

function escapeComponent(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/g, (character) => `%${hex(character)}`)
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

function escapeJson(text: string): string {
  return text.replace(/[\\"\x00-\x1f]/g, (character) => JSON_ESCAPES[character] ?? `\\u00${hex(character)}`)
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}
