import { AnswerWatch } from './answer-watch.ts'

const limits = { totalMs: 10_000, silentMs: 1_000, pausedMs: 6_000 }
let late: jest.Mock
let watch: AnswerWatch

beforeEach(() => {
  jest.useFakeTimers()
  late = jest.fn()
  watch = new AnswerWatch(limits, late)
})

afterEach(() => {
  watch.end()
  jest.useRealTimers()
})

test('an answer that is silent for too long is late, once', () => {
  jest.advanceTimersByTime(900)
  watch.heard()
  jest.advanceTimersByTime(999)
  expect(late).not.toHaveBeenCalled()
  jest.advanceTimersByTime(20_000)
  expect(late).toHaveBeenCalledTimes(1)
})

test('an answer that goes on is late when its whole time is over', () => {
  for (let ms = 0; ms < 9_900; ms += 100) {
    jest.advanceTimersByTime(100)
    watch.heard()
  }
  expect(late).not.toHaveBeenCalled()
  jest.advanceTimersByTime(100)
  expect(late).toHaveBeenCalledTimes(1)
})

test('while the client takes nothing, the function may be silent', () => {
  watch.pause()
  jest.advanceTimersByTime(5_000)
  watch.resume()
  jest.advanceTimersByTime(999)
  expect(late).not.toHaveBeenCalled()
  jest.advanceTimersByTime(1)
  expect(late).toHaveBeenCalledTimes(1)
})

test('the whole time passes while the client takes nothing, too', () => {
  jest.advanceTimersByTime(900)
  watch.pause()
  jest.advanceTimersByTime(5_000)
  watch.resume()
  watch.pause()
  jest.advanceTimersByTime(4_099)
  expect(late).not.toHaveBeenCalled()
  jest.advanceTimersByTime(1)
  expect(late).toHaveBeenCalledTimes(1)
})

test('a client that takes nothing for too long is cut off, and one that takes some now and then is not', () => {
  for (let n = 0; n < 2; n++) {
    watch.pause()
    jest.advanceTimersByTime(3_000)
    watch.resume()
  }
  watch.end()
  watch = new AnswerWatch({ ...limits, totalMs: 600_000 }, late)
  watch.pause()
  jest.advanceTimersByTime(5_999)
  expect(late).not.toHaveBeenCalled()
  jest.advanceTimersByTime(1)
  expect(late).toHaveBeenCalledTimes(1)
})

test('an answer that has ended is never late', () => {
  watch.end()
  jest.advanceTimersByTime(20_000)
  expect(late).not.toHaveBeenCalled()
})
