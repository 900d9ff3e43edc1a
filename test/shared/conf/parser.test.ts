import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { ConfError, type Directive } from '../../../src/shared/conf/directive.ts'
import { type LoadedConfig, loadConfig, parseText } from '../../../src/shared/conf/parser.ts'
import { removeFolder, temporaryFolder } from '../../support/temporary.ts'

let folder: string

beforeAll(async () => {
  folder = `${await temporaryFolder()}/`
})
afterAll(() => removeFolder(folder))

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text, 'latin1')
  }
}

function load(text: string): LoadedConfig {
  return loadConfig('main.conf', { confPrefix: folder, text })
}

/** `name args` of each directive, those of blocks behind them in braces; a broken entry is its message. */
function outline(tree: Directive[]): string {
  const entries = tree.map(({ name, args, block, broken }) => {
    if (broken !== undefined) return `!${broken}`
    const head = [name, ...args].join(' ')
    return block === null ? head : `${head} {${outline(block)}}`
  })
  return entries.join('; ')
}

describe('tree', () => {
  it('has names, arguments, blocks and places', () => {
    const { tree } = load('a 1 2;\nb x {\n  c;\n}\n')
    expect(tree).toEqual([
      { name: 'a', args: ['1', '2'], file: 'main.conf', line: 1, block: null },
      {
        name: 'b',
        args: ['x'],
        file: 'main.conf',
        line: 2,
        block: [{ name: 'c', args: [], file: 'main.conf', line: 3, block: null }],
        endLine: 4,
      },
    ])
  })

  it('takes any token as a name inside free-form blocks', () => {
    expect(outline(load('map $a $b { "" 0; ~^x "1 2"; default -; }').tree)).toBe(
      'map $a $b { 0; ~^x 1 2; default -}',
    )
  })

  it('keeps bytes above 127 one by one', async () => {
    await write({ 'latin.conf': 'a \xc3\xa9\xff;' })
    expect(loadConfig(`${folder}latin.conf`, { confPrefix: folder }).tree[0]?.args).toEqual(['\xc3\xa9\xff'])
  })

  it('stops where the text is wrong, and says so there', () => {
    expect(outline(load('a; b { c; ; d; } e;').tree)).toBe('a; b {c; !unexpected ";"}')
    expect(outline(load('a { b { c;').tree)).toBe('a {b {c; !unexpected end of file, expecting "}"}}')
    expect(outline(load('a; } b;').tree)).toBe('a; !unexpected "}"')
  })

  it('refuses blocks nested too deeply', () => {
    expect(outline(load('a{'.repeat(300)).tree)).toContain('!blocks are nested too deeply')
  })

  it('is built or refused with a ConfError, whatever the text', () => {
    const pieces = fc.constantFrom('a', ' ', ';', '{', '}', '"', '#', '\n', 'include x;', 'include *.none;')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const { tree } = load(parts.join(''))
        expect(() => buildCycle(tree, [], { prefix: folder, confPrefix: folder })).not.toThrow(TypeError)
        JSON.stringify(tree)
      }),
    )
  })
})

describe('include', () => {
  it('puts the directives of a file in its place, with their own places', async () => {
    await write({ 'one.conf': 'x 1;\ny {\n z; }\n' })
    const { tree } = load('a;\nb { include one.conf; c; }')
    expect(outline(tree)).toBe('a; b {x 1; y {z}; c}')
    expect(tree[1]?.block?.[1]).toMatchObject({ file: `${folder}one.conf`, line: 2 })
  })

  it('takes absolute names, and relative ones from the configuration folder at any depth', async () => {
    await write({ 'sub/two.conf': 'include sub/three.conf;', 'sub/three.conf': 'deep;' })
    expect(outline(load(`include ${folder}sub/two.conf;`).tree)).toBe('deep')
  })

  it('takes the files that match a pattern in byte order, hidden ones left out', async () => {
    const names = ['b.conf', 'a.conf', 'B.conf', '10.conf', '9.conf', '.hidden.conf', 'c.txt']
    await write(Object.fromEntries(names.map((name) => [`glob/${name}`, `f ${name};`])))
    const expected = 'f 10.conf; f 9.conf; f B.conf; f a.conf; f b.conf'
    expect(outline(load('include glob/*.conf;').tree)).toBe(expected)
    expect(outline(load('include gl?b/*.conf;').tree)).toBe(expected)
    expect(outline(load('include glob/[ab].conf;').tree)).toBe('f a.conf; f b.conf')
    expect(outline(load('include glob/[!a-zA-Z].conf;').tree)).toBe('f 9.conf')
  })

  it('takes a pattern without a match for nothing', () => {
    expect(outline(load('a; include none/*.conf; b;').tree)).toBe('a; b')
  })

  it('names the missing file and the line of the include', () => {
    const [, broken] = load('a;\ninclude gone.conf; b;').tree
    expect(broken).toMatchObject({
      broken: `open() "${folder}gone.conf" failed (2: No such file or directory)`,
      file: 'main.conf',
      line: 2,
    })
  })

  it('reports what is wrong inside the file there', async () => {
    await write({ 'wrong.conf': 'ok;\n}' })
    const { tree } = load('a { include wrong.conf; } b;')
    expect(outline(tree)).toBe('a {ok; !unexpected "}"}')
    expect(tree[0]?.block?.[1]).toMatchObject({ file: `${folder}wrong.conf`, line: 2 })
  })

  it('refuses a file that includes itself', async () => {
    await write({ 'loop.conf': 'x; include loop2.conf;', 'loop2.conf': 'y; include loop.conf;' })
    expect(outline(load('include loop.conf;').tree)).toBe(`x; y; !"${folder}loop.conf" includes itself`)
  })

  it('leaves one with another form for the check', () => {
    expect(outline(load('include a b; include { x; }').tree)).toBe('include a b; include {x}')
  })
})

describe('patterns', () => {
  beforeAll(() => write({ 'odd/a[1]': 'n 1;', 'odd/b*': 'n 2;', 'odd/^': 'n 3;', 'odd/sub/x': 'n 4;' }))

  it.each([
    ['odd/a[[]1]', 'n 1'],
    ['"odd/a\\[1]"', 'n 1'],
    ['odd/b[*]', 'n 2'],
    ['odd/[\\^]', 'n 3'],
    ['*d/*/x', 'n 4'],
    ['odd/*/x/y', ''],
    ['odd/[z-a]', ''],
    ['odd/[', ''],
  ])('%s', (pattern, expected) => {
    expect(outline(load(`include ${pattern};`).tree)).toBe(expected)
  })

  it('any name is a file, nothing, or an error in the tree', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'a*?[]!^-/.\\\0b')), (parts) => {
        const quoted = parts.join('').replace(/["\\]/g, '\\$&')
        expect(outline(load(`include "odd/none${quoted}";`).tree)).toMatch(/^($|!)/)
      }),
    )
  })
})

describe('files', () => {
  it('are listed in the order they are opened, each once', async () => {
    await write({ 'p.conf': 'include q.conf;', 'q.conf': 'q;' })
    const { files } = load('include p.conf; include q.conf;')
    expect(files).toEqual([
      { path: 'main.conf', text: 'include p.conf; include q.conf;' },
      { path: `${folder}p.conf`, text: 'include q.conf;' },
      { path: `${folder}q.conf`, text: 'q;' },
    ])
  })

  it('the main one must be readable', () => {
    const message = (path: string) => {
      try {
        loadConfig(path, { confPrefix: folder })
      } catch (error) {
        expect(error).toBeInstanceOf(ConfError)
        return (error as ConfError).message
      }
    }
    expect(message(`${folder}gone`)).toBe(`open() "${folder}gone" failed (2: No such file or directory)`)
    expect(message(folder)).toBe(`pread() "${folder}" failed (21: Is a directory)`)
  })
})

describe('-g', () => {
  it('has the command line for a place', () => {
    expect(parseText('daemon off; pid "a b";')).toMatchObject([
      { name: 'daemon', args: ['off'], file: 'command line' },
      { name: 'pid', args: ['a b'], file: 'command line' },
    ])
  })

  it('takes no blocks', () => {
    expect(outline(parseText('a; http {'))).toBe('a; !block directives are not supported in -g option')
  })
})
