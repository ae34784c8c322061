import { noMetrics } from '../../../eventing/broker/metrics.ts'
import { DeliveryRates } from './delivery-rates.ts'

const total = (counts: number[]): number => counts.reduce((sum, count) => sum + count, 0)

test('attempts are counted by Trigger and period, those that failed apart, and older periods are forgotten', () => {
  let now = 1_000_000
  const rates = new DeliveryRates(() => now)
  const { delivered } = rates.watch(noMetrics)
  delivered('notify', 202, 0.1)
  delivered('notify', 503, 0.1)
  delivered('notify', -1, 0.1)
  now += 10_000
  delivered('notify', 200, 0.1)
  const { delivered: good, failed } = rates.of('notify')
  expect([good.length, good.slice(-3), failed.slice(-3)]).toEqual([30, [0, 1, 1], [0, 2, 0]])
  expect(total(rates.of('deposit').delivered)).toBe(0)

  now += 29 * 10_000
  expect(rates.of('notify').delivered[0]).toBe(1)
  now += 10_000
  delivered('notify', 200, 0.1)
  expect(rates.of('notify').delivered).toEqual([...Array<number>(29).fill(0), 1])
})

test('what is counted reaches the metrics too', () => {
  const seen: unknown[] = []
  const metrics = { ...noMetrics, delivered: (...given: unknown[]) => void seen.push(given) }
  new DeliveryRates().watch(metrics).delivered('notify', 202, 0.5)
  expect(seen).toEqual([['notify', 202, 0.5]])
})
