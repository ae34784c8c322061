import { ClientCounts } from './client-counts.ts'

let nowMs: number
const counts = (count: number, knownMax?: number): ClientCounts =>
  new ClientCounts({ count, seconds: 10 }, { now: () => nowMs, ...(knownMax && { knownMax }) })

beforeEach(() => {
  nowMs = 5_000
})

test('each client has its own quota, which is whole again in the next window', () => {
  const door = counts(2)
  expect(['a', 'b', 'c'].map(() => door.take('203.0.113.1'))).toEqual([1, 0, -1])
  expect(door.take('203.0.113.2')).toBe(1)
  nowMs += 9_001
  expect([door.secondsLeft, door.take('203.0.113.1')]).toEqual([1, -2])
  nowMs += 999
  expect([door.take('203.0.113.1'), door.secondsLeft]).toEqual([1, 10])
  // Nobody came for some windows.
  nowMs += 37_000
  expect([door.take('203.0.113.1'), door.secondsLeft]).toEqual([1, 3])
})

test('all addresses of one IPv6 network are one client, however many there are', () => {
  const door = counts(100, 8)
  for (let n = 1; n <= 100; n++) expect(door.take(`2001:db8:0:7::${n.toString(16)}`)).toBe(100 - n)
  expect(door.take('2001:db8:0:7:ffff::1')).toBe(-1)
  expect(door.take('2001:db8:0:8::1')).toBe(99)
})

test('addresses that many may share are not counted', () => {
  const door = counts(1)
  for (const address of ['', '127.0.0.1', '10.1.2.3', '::1', 'fd00::1'])
    expect([door.take(address), door.take(address)]).toEqual([undefined, undefined])
})

test('a flood of addresses takes no more memory than knownMax of them', () => {
  const door = counts(5, 100)
  for (let n = 0; n < 1_000; n++) door.take(`203.0.${n >> 8}.${n & 255}`)
  // Those who came last are still counted.
  expect(door.take('203.0.3.231')).toBe(3)
  // Those who came first have been forgotten.
  expect(door.take('203.0.0.0')).toBe(4)
})
