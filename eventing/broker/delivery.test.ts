import { deliveryPolicy, durationMs, isRetried } from './delivery.ts'

test('a delivery has five retries with exponential back-off from 50 ms, unless it says otherwise', () => {
  const policy = deliveryPolicy({})
  expect(policy.retries).toBe(5)
  expect([1, 2, 3].map(policy.backoffMs)).toEqual([100, 200, 400])
  expect(deliveryPolicy(undefined).retries).toBe(0)
})

test('linear back-off grows by the delay with each retry', () => {
  const { retries, backoffMs, timeoutMs } = deliveryPolicy({
    retry: 2,
    backoffPolicy: 'linear',
    backoffDelay: 'PT0.2S',
    timeout: 'PT3S',
  })
  expect([retries, timeoutMs, ...[1, 2, 3].map(backoffMs)]).toEqual([2, 3_000, 200, 400, 600])
})

test('a field that cannot be used is refused with what was expected', () => {
  expect(() => deliveryPolicy({ retry: -1 })).toThrow('whole number')
  expect(() => deliveryPolicy({ backoffPolicy: 'quadratic' as 'linear' })).toThrow('linear or exponential')
  expect(() => deliveryPolicy({ backoffDelay: '5s' })).toThrow('ISO 8601')
})

test('durations are read as ISO 8601', () => {
  expect(['PT1S', 'PT0.25S', 'PT2M', 'PT1H30M', 'P1DT1S'].map(durationMs)).toEqual([
    1_000, 250, 120_000, 5_400_000, 86_401_000,
  ])
  for (const wrong of ['', 'P', 'PT', '1S', 'PT1', '-PT1S'])
    expect(() => durationMs(wrong)).toThrow('ISO 8601')
})

test('delivery is tried again after 5xx, 404, 408, 409 and 429, and after no other status', () => {
  const retried = Array.from({ length: 400 }, (_, i) => 200 + i).filter(isRetried)
  expect(retried.filter((status) => status < 500)).toEqual([404, 408, 409, 429])
  expect(retried.filter((status) => status >= 500)).toHaveLength(100)
})
