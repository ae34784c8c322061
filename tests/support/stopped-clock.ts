import { until } from './until.ts'

/** Runs `work` while no time passes for the code under test but what it passes itself: timers that are set
 * meanwhile, and performance.now(). The date, and what comes over the network, go on. So a limit of
 * milliseconds is tested to the millisecond, on a machine that may pause for seconds. */
export async function whileClockStops(
  work: (pass: (milliseconds: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const stoppedAt = performance.now()
  jest.useFakeTimers({
    doNotFake: [
      ...(['Date', 'performance', 'hrtime', 'nextTick', 'queueMicrotask'] as const),
      ...(['setImmediate', 'clearImmediate'] as const),
    ],
  })
  const beganAt = jest.now()
  const now = jest.spyOn(performance, 'now').mockImplementation(() => stoppedAt + jest.now() - beganAt)
  try {
    await work(async (milliseconds) => void (await jest.advanceTimersByTimeAsync(milliseconds)))
  } finally {
    now.mockRestore()
    jest.useRealTimers()
  }
}

/** Stops a function that has spans and metrics left to send. However slow the machine is, the two seconds for
 * that are not over before it had its turn many times. */
export const stopUnhurried = (running: { stop(): Promise<void> }): Promise<void> =>
  whileClockStops(async (pass) => {
    let isOver = false
    const stopped = running.stop().finally(() => (isOver = true))
    await until(async () => (await pass(10), isOver))
    await stopped
  })
