// The sampling heap profile clinic leaves made into text: bytes still alive at the end, by allocating function. Pure.

import { fileURLToPath } from 'node:url'

interface HeapNode {
  callFrame: { functionName: string; url: string; lineNumber: number }
  selfSize: number
  children: HeapNode[]
}

export interface HeapProfile {
  head: HeapNode
}

/** Live bytes by function, largest first. `root` is cut from file names. */
export function liveBytes(profile: HeapProfile, root: string): { name: string; bytes: number }[] {
  const sizes = new Map<string, number>()
  const visit = (node: HeapNode): void => {
    const { functionName, url, lineNumber } = node.callFrame
    const path = url.startsWith('file:') ? fileURLToPath(url) : url
    const place =
      path === '' ? '' : `  ${path.startsWith(root) ? path.slice(root.length) : path}:${lineNumber + 1}`
    const name = `${functionName === '' ? '(anonymous)' : functionName}${place}`
    sizes.set(name, (sizes.get(name) ?? 0) + node.selfSize)
    for (const child of node.children) visit(child)
  }
  visit(profile.head)
  return [...sizes]
    .map(([name, bytes]) => ({ name, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
}

export function describeHeap(profile: HeapProfile, root: string, top: number): string {
  const list = liveBytes(profile, root)
  const total = list.reduce((sum, entry) => sum + entry.bytes, 0)
  const rows = list
    .slice(0, top)
    .map(
      ({ name, bytes }) =>
        `${((100 * bytes) / total).toFixed(1).padStart(6)} %  ${String(bytes).padStart(10)}  ${name}`,
    )
  return [`${total} bytes alive in the samples`, '', '   share       bytes  function', ...rows, ''].join('\n')
}
