import type { PlacedRow } from './missed.ts'
import { HEARTBEAT, HEARTBEAT_MS } from '../../host/stream-life.ts'
import { OpenStream } from './open-stream.ts'
import { NO_ID } from './place.ts'

const row = (xact: number, id = 'a'): PlacedRow => ({ xact: String(xact), id }) as PlacedRow
let leftMs: number
let stream: OpenStream

beforeEach(() => {
  leftMs = 1_000_000
  jest.useFakeTimers()
  stream = new OpenStream('someone', { xact: 5n, id: 'b' }, () => leftMs)
})

afterEach(() => jest.useRealTimers())

/** All that comes until the stream is over. */
async function all(): Promise<string> {
  let text = ''
  for await (const part of stream.texts()) text += part
  return text
}

test('sends what comes after its place, in the order in which it comes', async () => {
  for (const [xact, id] of [
    [4, 'c'],
    [5, 'a'],
    [5, 'b'],
    [5, 'c'],
    [6, NO_ID],
  ] as const)
    stream.offer(row(xact, id), `${xact}${id[0]} `)
  stream.end()
  expect(await all()).toBe('5c 60 ')
})

test('shows that it lives, if nothing else was sent for a while', async () => {
  const seconds = (count: number): void => {
    for (let n = 0; n < count; n++) {
      jest.advanceTimersByTime(1_000)
      stream.tick()
    }
  }
  seconds(HEARTBEAT_MS / 1000 - 1)
  stream.offer(row(6), 'a')
  seconds(HEARTBEAT_MS / 1000 - 1)
  stream.offer(row(7), 'b')
  seconds(HEARTBEAT_MS / 1000)
  stream.end()
  expect(await all()).toBe(`ab${HEARTBEAT}`)
})

test('ends when its time is over', async () => {
  stream.offer(row(6), 'a')
  leftMs = 0
  stream.tick()
  stream.offer(row(7), 'b')
  expect(await all()).toBe('a')
})

test('ends if its client takes too little, and keeps no more than it may', async () => {
  for (let n = 0; n < 1_000; n++) stream.offer(row(6 + n), 'x'.repeat(1_000))
  const text = await all()
  expect(text.length).toBeGreaterThan(100_000)
  expect(text.length).toBeLessThanOrEqual(256 * 1024)
})
