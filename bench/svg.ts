import type { Result } from './rounds.ts'
import { figure, goalOf } from './table.ts'

const WIDTH = 860
const ROW = 34
const TOP = 44
const BARS = { left: 330, right: 680 }

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .small { font-size: 11px; fill: #57606a }
  .met { fill: #2da44e } .missed { fill: #d4a72c } .compared { fill: #8c959f }
  .floor { stroke: #cf222e; stroke-width: 1.5 } .goal { stroke: #24292f; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #8d96a0 } .goal { stroke: #e6edf3 }
  }`

/** Returns the results as a picture: a bar for each ratio, one line through all bars at the floor (ratio 1),
 * and a tick at the goal. The scale is logarithmic, so that twice and half are equally far from the floor. */
export function toSvg(results: readonly Result[]): string {
  const scale = scaleOf(results.flatMap(({ ratio, goal }) => [ratio, goal ?? 1]))
  const height = TOP + results.length * ROW + 34
  const floor = scale(1)
  const bottom = height - 30
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    '<title>microbank measured against its floors</title>',
    `<style>${STYLE}\n</style>`,
    `<text class="small" x="${floor}" y="24" text-anchor="middle">floor = 1</text>`,
    ...results.flatMap((result, i) => row(result, TOP + i * ROW, scale)),
    `<line class="floor" x1="${floor}" y1="30" x2="${floor}" y2="${bottom}"/>`,
    `<text class="small" x="12" y="${height - 10}">Bar: ratio to the floor, median of the rounds (logarithmic). Tick: the goal. Green: met.</text>`,
    '</svg>\n',
  ].join('\n')
}

function row(result: Result, y: number, scale: (ratio: number) => number): string[] {
  const { name, ratio, goal, met, ours, floor, unit } = result
  const kind = met === null ? 'compared' : met ? 'met' : 'missed'
  const end = scale(ratio)
  const goalLine =
    goal === null
      ? []
      : [`<line class="goal" x1="${scale(goal)}" y1="${y}" x2="${scale(goal)}" y2="${y + 20}"/>`]
  return [
    `<text x="12" y="${y + 15}">${escape(name)}</text>`,
    `<rect class="${kind}" x="${BARS.left}" y="${y + 3}" width="${round(end - BARS.left)}" height="14" rx="2"/>`,
    ...goalLine,
    `<text x="${BARS.right + 12}" y="${y + 10}">${ratio.toFixed(2)}${goal === null ? '' : ` (${goalOf(result)})`}</text>`,
    `<text class="small" x="${BARS.right + 12}" y="${y + 24}">${figure(ours)} : ${figure(floor)} ${escape(unit)}</text>`,
  ]
}

/** Returns a function that maps a ratio to its place on the picture. Even the smallest ratio gets a bar. */
function scaleOf(ratios: number[]): (ratio: number) => number {
  const from = Math.log(Math.min(1, ...ratios) / 2)
  const to = Math.log(Math.max(2, ...ratios))
  return (ratio) => round(BARS.left + ((Math.log(ratio) - from) / (to - from)) * (BARS.right - BARS.left))
}

const round = (value: number): number => Math.round(value * 10) / 10

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
