import { summarise, type Result } from './rounds.ts'
import { toSvg } from './svg.ts'
import { figure, toTable } from './table.ts'

const transfers = summarise({
  id: 'transfers',
  name: 'Transfers : TPC-B',
  unit: 'per second',
  goal: { ratio: 4, better: 'higher' },
  rounds: [
    { ours: 20_000, floor: 5_000 },
    { ours: 24_000, floor: 5_000 },
  ],
  latency: { p50: 6.21, p99: 10.4, p999: 120 },
  notes: ['64 connections'],
})
const memory = summarise({
  id: 'memory',
  name: 'Memory <of> Node',
  unit: 'MB',
  goal: { ratio: 1.15, better: 'lower' },
  rounds: [{ ours: 60, floor: 40 }],
})
const peer = summarise({ ...transfers, id: 'peer', goal: null, rounds: [{ ours: 2_500, floor: 5_000 }] })

describe('the table', () => {
  test('has a line for each result, with latencies and notes below it', () => {
    expect(toTable([transfers, memory])).toBe(
      [
        '                     ours  floor  unit        ratio  spread    goal',
        'Transfers : TPC-B  22,000  5,000  per second   4.40   ±0.40     ≥ 4  met',
        'Memory <of> Node     60.0   40.0  MB           1.50   ±0.00  ≤ 1.15  not met',
        '',
        'Transfers : TPC-B',
        '  p50 6.210 ms, p99 10.4 ms, p99.9 120 ms',
        '  64 connections',
      ].join('\n'),
    )
  })

  test('shows no goal for a result without one', () => {
    expect(toTable([peer]).split('\n')[1]).toMatch(/0\.50 {3}±0\.00$/)
  })

  test('shows only significant digits', () => {
    expect([0.5521, 9.8765, 41.26, 187.6, 18_412.4].map(figure)).toEqual([
      '0.552',
      '9.877',
      '41.3',
      '188',
      '18,412',
    ])
  })
})

describe('the picture', () => {
  const xOf = (line: string | undefined, name: string) =>
    Number(new RegExp(`${name}="([\\d.]+)"`).exec(line!)![1])
  const lineWith = (results: Result[], text: string) =>
    toSvg(results)
      .split('\n')
      .find((line) => line.includes(text))

  test('has a bar for each result, which ends on the better or worse side of the floor', () => {
    const results = [transfers, peer]
    const floor = xOf(lineWith(results, '<line class="floor"'), 'x1')
    const endOf = (kind: string) => {
      const rectangle = lineWith(results, `<rect class="${kind}"`)
      return xOf(rectangle, ' x') + xOf(rectangle, 'width')
    }
    expect(endOf('met')).toBeGreaterThan(floor)
    expect(endOf('compared')).toBeLessThan(floor)
  })

  test('puts the goal where a bar with that ratio would end', () => {
    const exact = { ...transfers, ratio: 4 }
    const bar = lineWith([exact], '<rect class="met"')
    expect(xOf(bar, ' x') + xOf(bar, 'width')).toBeCloseTo(
      xOf(lineWith([exact], '<line class="goal"'), 'x1'),
      1,
    )
  })

  test('shows a missed goal differently from a met one, and escapes names', () => {
    expect(toSvg([memory])).toContain('<rect class="missed"')
    expect(toSvg([memory])).toContain('Memory &lt;of&gt; Node')
  })
})
