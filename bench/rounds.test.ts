import { percentiles } from './latency.ts'
import { inTurns, median, summarise, type Measurement } from './rounds.ts'

const measurement = (given: Partial<Measurement>): Measurement => ({
  id: 'transfers',
  name: 'Transfers',
  unit: 'per second',
  goal: { ratio: 4, better: 'higher' },
  rounds: [{ ours: 8, floor: 2 }],
  ...given,
})

describe('rounds', () => {
  test('the median is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([9, 1, 5, 7])).toBe(6)
    expect(() => median([])).toThrow('got none')
  })

  test('the ratio is the median of the rounds’ ratios, and the spread is the largest minus the smallest', () => {
    const rounds = [
      { ours: 10, floor: 2 },
      { ours: 4, floor: 4 },
      { ours: 9, floor: 3 },
    ]
    const result = summarise(measurement({ rounds }))
    expect(result).toMatchObject({ ours: 9, floor: 3, ratio: 3, spread: 4, goal: 4, met: false })
    expect(result.rounds.map(({ ratio }) => ratio)).toEqual([5, 1, 3])
  })

  test('a goal is met by a ratio on its better side, and by exactly the goal', () => {
    const met = (ours: number, better: 'higher' | 'lower') =>
      summarise(measurement({ goal: { ratio: 2, better }, rounds: [{ ours, floor: 1 }] })).met
    expect([met(3, 'higher'), met(2, 'higher'), met(1, 'higher')]).toEqual([true, true, false])
    expect([met(3, 'lower'), met(2, 'lower'), met(1, 'lower')]).toEqual([false, true, true])
  })

  test('a measurement for comparison has no goal to meet', () => {
    expect(summarise(measurement({ goal: null }))).toMatchObject({ goal: null, better: null, met: null })
  })

  test('figures that measured nothing are refused', () => {
    for (const round of [
      { ours: 0, floor: 2 },
      { ours: 8, floor: Number.NaN },
    ])
      expect(() => summarise(measurement({ rounds: [round] }))).toThrow('transfers: expected figures above 0')
  })

  test('ours and the floor take turns, and swap which comes first', async () => {
    const order: string[] = []
    const note = (name: string) => async (round: number) => void order.push(`${name} ${round}`)
    await inTurns(3, note('ours'), note('floor'))
    expect(order).toEqual(['ours 0', 'floor 0', 'floor 1', 'ours 1', 'ours 2', 'floor 2'])
  })

  test('percentiles are values that occurred, by nearest rank', () => {
    const values = Array.from({ length: 1000 }, (_, i) => 1000 - i)
    expect(percentiles(values)).toEqual({ p50: 500, p99: 990, p999: 999 })
    expect(percentiles([1, 2, 3, 4, 5, 6, 7])).toEqual({ p50: 4, p99: 7, p999: 7 })
    expect(percentiles([7])).toEqual({ p50: 7, p99: 7, p999: 7 })
    expect(() => percentiles([])).toThrow('got none')
  })
})
