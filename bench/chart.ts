// The ratio of every scenario as an SVG bar chart: nginx's CPU time / weir's, so longer is better for weir. A line
// marks 1, where both need the same, and a tick on each bar its target. Pure.

import type { LoadOutcome, Run } from './result.ts'
import { describeRun } from './table.ts'

const WIDTH = 820
const LABEL = 300
const RIGHT = 70
const TOP = 64
const ROW = 34
const BAR = 18
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .small { font-size: 11px; fill: #57606a }
  .reached { fill: #2da44e } .missed { fill: #d4a72c } .free { fill: #6e9fd4 }
  .grid { stroke: #d0d7de } .one { stroke: #24292f; stroke-dasharray: 4 3 }
  .target { stroke: #cf222e; stroke-width: 2.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #8b949e }
    .grid { stroke: #30363d } .one { stroke: #e6edf3 } .target { stroke: #ff7b72 }
  }`

/** null when no scenario has a ratio. */
export function ratioChart(run: Run): string | null {
  const bars = run.outcomes.filter(hasRatio)
  if (bars.length === 0) return null
  const longest = Math.max(1, ...bars.map((bar) => Math.max(bar.ratio, bar.target ?? 0)))
  const top = Math.ceil(longest * 4 + 0.2) / 4
  const x = (ratio: number) => LABEL + (ratio / top) * (WIDTH - LABEL - RIGHT)
  const bottom = TOP + bars.length * ROW
  const height = bottom + 62
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>CPU time per request: nginx / weir</title>
<style>${STYLE}</style>
<text class="title" x="16" y="26">CPU time per request: nginx / weir</text>
<text class="small" x="16" y="44">longer is better for weir; red tick: target; dashed line: the same CPU time</text>
${gridLines(top, x, bottom)}
${bars.map((bar, row) => drawBar(bar, TOP + row * ROW, x)).join('\n')}
<line class="one" x1="${round(x(1))}" y1="${TOP - 6}" x2="${round(x(1))}" y2="${bottom}"/>
${footer(describeRun(run), bottom + 34)}
</svg>
`
}

function hasRatio(outcome: Run['outcomes'][number]): outcome is LoadOutcome & { ratio: number } {
  return outcome.kind === 'load' && outcome.ratio !== null
}

function gridLines(top: number, x: (ratio: number) => number, bottom: number): string {
  const step = top > 3 ? 1 : top > 1.5 ? 0.5 : 0.25
  const lines: string[] = []
  for (let ratio = 0; ratio <= top + 1e-9; ratio += step) {
    const at = round(x(ratio))
    lines.push(
      `<line class="grid" x1="${at}" y1="${TOP - 6}" x2="${at}" y2="${bottom}"/>`,
      `<text class="small" x="${at}" y="${bottom + 14}" text-anchor="middle">${ratio}</text>`,
    )
  }
  return lines.join('\n')
}

function drawBar(bar: LoadOutcome & { ratio: number }, y: number, x: (ratio: number) => number): string {
  const kind = bar.target === null ? 'free' : bar.ratio >= bar.target ? 'reached' : 'missed'
  const middle = y + BAR / 2 + 4.5
  const parts = [
    `<text x="${LABEL - 12}" y="${middle}" text-anchor="end">${escapeText(bar.title)}</text>`,
    `<rect class="${kind}" x="${LABEL}" y="${y}" width="${round(x(bar.ratio) - LABEL)}" height="${BAR}" rx="2"/>`,
    `<text x="${round(Math.max(x(bar.ratio), x(bar.target ?? 0)) + 8)}" y="${middle}">${bar.ratio.toFixed(2)}</text>`,
  ]
  if (bar.target !== null) {
    const at = round(x(bar.target))
    parts.push(`<line class="target" x1="${at}" y1="${y - 4}" x2="${at}" y2="${y + BAR + 4}"/>`)
  }
  return parts.join('\n')
}

/** The description broken at its semicolons, two lines at most. */
function footer(text: string, y: number): string {
  const parts = text.split('; ')
  const lines = [parts.slice(0, 2).join('; '), parts.slice(2).join('; ')].filter((line) => line !== '')
  return lines
    .map((line, row) => `<text class="small" x="16" y="${y + row * 15}">${escapeText(line)}</text>`)
    .join('\n')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
