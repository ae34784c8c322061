import { leavingAfter, Places } from './places.ts'

test('a holder gets so many places, and others still get theirs', () => {
  const places = new Places(2)
  expect([places.take('a'), places.take('a'), places.take('a'), places.take('b')].map(Boolean)).toEqual([
    true,
    true,
    false,
    true,
  ])
})

test('a place that is given back twice counts once', () => {
  const places = new Places(2)
  const [first] = [places.take('a')!, places.take('a')!]
  first()
  first()
  expect([places.take('a'), places.take('a')].map(Boolean)).toEqual([true, false])
})

describe('who leaves after some parts', () => {
  const leave = jest.fn()
  beforeEach(() => leave.mockClear())

  async function* two(): AsyncGenerator<string> {
    yield 'a'
    yield 'b'
  }

  // oxlint-disable-next-line require-yield
  async function* broken(): AsyncGenerator<string> {
    throw new Error('broken')
  }

  test('leaves when they have ended', async () => {
    const seen: string[] = []
    for await (const part of leavingAfter(two(), leave)) seen.push(`${part} ${leave.mock.calls.length}`)
    expect([seen, leave.mock.calls.length]).toEqual([['a 0', 'b 0'], 1])
  })

  test('leaves when they fail', async () => {
    await expect(leavingAfter(broken(), leave)[Symbol.asyncIterator]().next()).rejects.toThrow('broken')
    expect(leave).toHaveBeenCalledTimes(1)
  })

  test('leaves when nobody has asked for the first', async () => {
    await leavingAfter(two(), leave)[Symbol.asyncIterator]().return!()
    expect(leave).toHaveBeenCalledTimes(1)
  })
})
