// What the backend answers and the files hold: for most paths one letter over and over, for those that are compressed
// a text and a JSON document as like real ones as a generator makes them, the same each time. ASCII.

import { BACKEND_BYTES, type BackendPath } from './scenario.ts'

/** The content of a path, with exactly the bytes BACKEND_BYTES says. */
export function contentOf(path: BackendPath): string {
  const length = BACKEND_BYTES[path]
  if (path === '/page') return prose(length)
  return path === '/json' ? json(length) : 'x'.repeat(length)
}

/** Words by how often they come, as in any text: the first far more often than the last. */
const WORDS =
  `the of and to a in is that it was for on as with be by at this are from or had not but have which one
you were all her she there would their we him been has when who will no more if out so up said what its about than
into them can only other time new some could these two may first then do any like my now over such our man even most
made after also did many off before must well back through years where much your way down should because long each
just state those people too mister little good world make very year still see work own day get here old life both
between being under three never know same last another while us might great against come since go few use during
without again place around however small found mrs thought part general high upon school every united don does got
number left course war until always away something fact water though less public put think almost hand enough took
head yet government system set better told nothing night end why called didn eyes find going look asked later point
knew city next program business group give toward young let days room present second power field country`.split(
    /\s+/,
  )

/** Numbers from 0 to 1 that are the same in every run. */
function numbers(): () => number {
  let state = 20_240_229
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function word(next: () => number): string {
  return WORDS[Math.floor(WORDS.length ** next()) - 1]!
}

function sentence(next: () => number): string {
  const words = Array.from({ length: 6 + Math.floor(next() * 14) }, () => word(next)).join(' ')
  return `${words[0]!.toUpperCase()}${words.slice(1)}.`
}

function prose(length: number): string {
  const next = numbers()
  let text = ''
  while (text.length < length) text += sentence(next) + (next() < 0.2 ? '\n\n' : ' ')
  return text.slice(0, length)
}

function json(length: number): string {
  const next = numbers()
  let text = '{"items":[\n'
  for (let id = 1000; text.length < length; id++) {
    const item = {
      id,
      name: `${word(next)} ${word(next)}`,
      email: `${word(next)}.${word(next)}@example.com`,
      price: Math.floor(next() * 100_000) / 100,
      active: next() < 0.8,
      tags: [word(next), word(next)],
      updated: `2024-0${1 + Math.floor(next() * 9)}-${10 + Math.floor(next() * 18)}T12:00:00Z`,
      note: sentence(next),
    }
    text += `${JSON.stringify(item)},\n`
  }
  const end = '"the rest"]}'
  const whole = text.lastIndexOf('\n', length - end.length - 1) + 1
  return text.slice(0, whole) + ' '.repeat(length - end.length - whole) + end
}
