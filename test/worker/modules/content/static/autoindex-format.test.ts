// The page of `autoindex` in UTF-8, where names are as wide as they have characters, and dates in another zone.

import { describe, expect, it } from 'vitest'
import {
  type Entry,
  htmlListing,
  sortEntries,
} from '../../../../../src/worker/modules/content/static/autoindex-format.ts'

const file = (name: string): Entry => ({ name, kind: 'file', modified: 0, size: 1 })
const folder = (name: string): Entry => ({ name, kind: 'directory', modified: 0, size: 4096 })

/** The text between the link's tags, and the blanks behind. */
function column(entry: Entry, utf8: boolean): [shown: string, blanks: number] {
  const page = htmlListing('/', [entry], { exactSize: true, zone: 0, utf8 })
  const [, shown = '', blanks = ''] = /<a href="[^.][^"]*">(.*)<\/a>( *) 01-Jan-1970/.exec(page)!
  return [shown, blanks.length]
}

describe('a name on the page', () => {
  const euro = '\xe2\x82\xac'
  it.each([
    ['of bytes', file(euro), false, [euro, 47]],
    ['of one character in UTF-8', file(euro), true, [euro, 49]],
    ['of 50 characters in UTF-8', file(euro.repeat(50)), true, [euro.repeat(50), 0]],
    ['of 51 characters in UTF-8', file(euro.repeat(51)), true, [`${euro.repeat(47)}..&gt;`, 0]],
    ['of a folder of 49 characters', folder(euro.repeat(49)), true, [`${euro.repeat(49)}/`, 0]],
    ['of a folder of 50 characters', folder(euro.repeat(50)), true, [euro.repeat(50), 0]],
    ['that is no UTF-8', file('\xe2\x82'), true, ['\xe2\x82', 48]],
    ['with markup in it', file(`${euro}<`), true, [`${euro}&lt;`, 48]],
    ['cut where there is markup', file(`${'<'.repeat(51)}${euro}`), true, [`${'&lt;'.repeat(47)}..&gt;`, 0]],
  ] as const)('%s', (_name, entry, utf8, expected) => {
    expect(column(entry, utf8)).toEqual(expected)
  })
})

it('the time is moved by the zone', () => {
  const page = htmlListing('/', [file('a')], { exactSize: true, zone: -3600, utf8: false })
  expect(page).toContain(' 31-Dec-1969 23:00 ')
})

it.each([
  [1024 ** 3 - 1, ' 1024M'],
  [1024 ** 3, '    1G'],
  [1024 ** 3 + 1024 ** 3 / 2 - 1, '    1G'],
  [1024 ** 3 + 1024 ** 3 / 2, '    2G'],
])('a size of %i rounded is %s', (size, shown) => {
  const page = htmlListing('/', [{ ...file('a'), size }], { exactSize: false, zone: 0, utf8: false })
  expect(page).toContain(`${shown}\r\n`)
})

it('folders come first, then names by their bytes', () => {
  const entries = [file('b'), file('B'), folder('z'), file('\xff'), file('a'), folder('A')]
  expect(sortEntries(entries).map(({ name }) => name)).toEqual(['A', 'z', 'B', 'a', 'b', '\xff'])
})
