import fc from 'fast-check'
import {
  CALM,
  ConcurrencyMeter,
  decide,
  type Observation,
  type ScalerState,
  type Scaling,
} from './autoscaler.ts'

const defaults: Scaling = {
  minScale: 0,
  maxScale: 10,
  initialScale: 1,
  activationScale: 1,
  target: 70,
  windowMs: 60_000,
  panicWindowMs: 6000,
  panicThreshold: 2,
  scaleDownDelayMs: 0,
  retentionMs: 0,
}
const calm: Observation = { now: 1_000_000, ready: 1, stable: 0, panic: 0, activeMs: 100_000 }

const scale = (scaling: Partial<Scaling>, seen: Partial<Observation>, state: ScalerState = CALM) =>
  decide({ ...defaults, ...scaling }, state, { ...calm, ...seen }).scale

describe('the autoscaler', () => {
  test('wants one process per target of requests in flight, rounded up', () => {
    expect(scale({}, { stable: 0.01, panic: 0.01 })).toBe(1)
    expect(scale({}, { stable: 70, panic: 70 })).toBe(1)
    expect(scale({}, { stable: 71, panic: 71 })).toBe(2)
    expect(scale({}, { stable: 280, panic: 280, ready: 4 })).toBe(4)
  })

  test('goes to zero after a whole window without requests', () => {
    expect(scale({}, { stable: 0 })).toBe(0)
  })

  test('does not count a process that has just started as idle', () => {
    expect(scale({}, { stable: 0, activeMs: 59_999 })).toBe(1)
    expect(scale({}, { stable: 0, activeMs: 60_000 })).toBe(0)
  })

  test('keeps the last process for the retention period', () => {
    const scaling = { ...defaults, retentionMs: 30_000 }
    const first = decide(scaling, CALM, calm)
    expect(first.scale).toBe(1)
    expect(decide(scaling, first.state, { ...calm, now: calm.now + 29_999 }).scale).toBe(1)
    expect(decide(scaling, first.state, { ...calm, now: calm.now + 30_000 }).scale).toBe(0)
  })

  test('removes at most half of the processes at a time', () => {
    expect(scale({}, { stable: 1, panic: 1, ready: 8 })).toBe(4)
    expect(scale({}, { stable: 0, ready: 5 })).toBe(2)
  })

  test('keeps to min-scale, max-scale and activation-scale', () => {
    expect(scale({ minScale: 2 }, { stable: 0 })).toBe(2)
    expect(scale({ maxScale: 3 }, { stable: 7000, panic: 7000 })).toBe(3)
    expect(scale({ maxScale: 0 }, { stable: 7000, panic: 7000 })).toBe(100)
    expect(scale({ activationScale: 4 }, { stable: 1, panic: 1 })).toBe(4)
    expect(scale({ activationScale: 4 }, { stable: 0 })).toBe(0)
  })

  test('panics when the last seconds need twice the ready processes, and then does not scale down for a window', () => {
    const surge = decide(defaults, CALM, { ...calm, stable: 20, panic: 350 })
    expect(surge.scale).toBe(5)
    const after = { ...calm, now: calm.now + 60_000, ready: 5, stable: 80, panic: 0 }
    expect(decide(defaults, surge.state, after).scale).toBe(5)
    expect(decide(defaults, surge.state, { ...after, now: calm.now + 60_001 }).scale).toBe(2)
  })

  test('scales down only after the scale-down delay', () => {
    const scaling = { ...defaults, scaleDownDelayMs: 10_000 }
    const busy = decide(scaling, CALM, { ...calm, ready: 4, stable: 280, panic: 280 })
    const quiet = { ...calm, ready: 4, stable: 1, panic: 1 }
    expect(decide(scaling, busy.state, { ...quiet, now: calm.now + 10_000 }).scale).toBe(4)
    expect(decide(scaling, busy.state, { ...quiet, now: calm.now + 10_001 }).scale).toBe(2)
  })

  test('always keeps to its bounds and has room for the stable load', () => {
    const load = fc.record({
      ready: fc.nat(20),
      stable: fc.nat(3000),
      panic: fc.nat(3000),
      afterMs: fc.nat(70_000),
    })
    const bounds = fc.record({
      minScale: fc.nat(3),
      maxScale: fc.integer({ min: 3, max: 15 }),
      target: fc.integer({ min: 1, max: 100 }),
    })
    fc.assert(
      fc.property(bounds, fc.array(load, { minLength: 1 }), (bound, loads) => {
        const scaling = { ...defaults, ...bound }
        let state = CALM
        let now = 0
        for (const { afterMs, ...seen } of loads) {
          now += afterMs
          const decision = decide(scaling, state, { ...seen, now, activeMs: now })
          state = decision.state
          expect(decision.scale).toBeGreaterThanOrEqual(scaling.minScale)
          expect(decision.scale).toBeLessThanOrEqual(scaling.maxScale)
          expect(decision.scale).toBeGreaterThanOrEqual(
            Math.min(scaling.maxScale, Math.ceil(seen.stable / scaling.target)),
          )
        }
      }),
    )
  })
})

describe('the meter of requests in flight', () => {
  test('averages over time', () => {
    const meter = new ConcurrencyMeter(60_000, 0)
    meter.change(1, 0)
    meter.change(1, 10_000)
    meter.change(-1, 20_000)
    meter.change(-1, 30_000)
    expect(meter.average(60_000, 30_000)).toBeCloseTo(4 / 3)
    expect(meter.average(60_000, 60_000)).toBeCloseTo(2 / 3)
    expect(meter.average(6000, 60_000)).toBe(0)
  })

  test('is zero exactly if nothing was in flight for the window', () => {
    const meter = new ConcurrencyMeter(60_000, 0)
    meter.change(1, 1000)
    meter.change(-1, 1001)
    expect(meter.average(60_000, 60_500)).toBeGreaterThan(0)
    expect(meter.average(60_000, 62_000)).toBe(0)
  })

  test('does not count the time before the first request as idle', () => {
    const meter = new ConcurrencyMeter(60_000, 0)
    for (let i = 0; i < 20; i++) meter.change(1, 600_000)
    expect(meter.average(60_000, 602_000)).toBeCloseTo(20)
  })

  test('agrees with a plain integral of the requests in flight', () => {
    const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 5000 }), come: fc.boolean() }), {
      maxLength: 50,
    })
    fc.assert(
      fc.property(steps, (changes) => {
        const meter = new ConcurrencyMeter(600_000, 0)
        let now = 0
        let current = 0
        let area = 0
        for (const { afterMs, come } of [{ afterMs: 0, come: true }, ...changes]) {
          now += afterMs
          area += current * afterMs
          if (!come && current === 0) continue
          meter.change(come ? 1 : -1, now)
          current += come ? 1 : -1
        }
        const end = now + 20_000
        expect(meter.average(600_000, end)).toBeCloseTo((area + current * 20_000) / end, 5)
      }),
    )
  })
})
