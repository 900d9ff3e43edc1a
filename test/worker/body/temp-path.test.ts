import { describe, expect, it } from 'vitest'
import { levelFolders, tempFileName } from '../../../src/worker/body/temp-path.ts'

describe('the name of a temporary file', () => {
  it.each<[number[], number, string, string[]]>([
    [[], 1, '/t/0000000001', []],
    [[1], 1234, '/t/4/0000001234', ['/t/4']],
    [[1, 2], 1234, '/t/4/23/0000001234', ['/t/4', '/t/4/23']],
    [[2, 2, 2], 123456, '/t/56/34/12/0000123456', ['/t/56', '/t/56/34', '/t/56/34/12']],
  ])('levels %j of %d: %s', (levels, number, name, folders) => {
    const path = { folder: '/t', levels }
    expect(tempFileName(path, number)).toBe(name)
    expect(levelFolders(path, name)).toEqual(folders)
  })
})
