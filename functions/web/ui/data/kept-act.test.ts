import { NoAnswerError } from '../../client/index.ts'
import { keptActs, KeyTooOldError, type KeptAct } from './kept-act.ts'
import { KEY_AGE_MS_MAX } from './money-order.ts'

const kept = keptActs<KeptAct>('act')
const shelf = new Map<string, string>()
let nowMs = 1_000_000

beforeAll(() => {
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs)
  Object.assign(globalThis, {
    sessionStorage: {
      getItem: (name: string) => shelf.get(name) ?? null,
      setItem: (name: string, text: string) => shelf.set(name, text),
      removeItem: (name: string) => shelf.delete(name),
    },
  })
})

afterAll(() => {
  jest.restoreAllMocks()
  Reflect.deleteProperty(globalThis, 'sessionStorage')
})

const noAnswer = new NoAnswerError('POST /api/orders', new Error('lost'), { attempts: 1 })

test('an act keeps its key and its age, however often it is sent, until the bank may have forgotten it', async () => {
  const act = { key: 'k', madeAtMs: nowMs }
  let asked = 0
  const ask = () => {
    asked++
    return Promise.reject(noAnswer)
  }
  await expect(kept.send('ada', act, ask)).rejects.toThrow(NoAnswerError)
  nowMs += KEY_AGE_MS_MAX - 1
  await expect(kept.send('ada', act, ask)).rejects.toThrow(NoAnswerError)
  expect([kept.unanswered('ada'), kept.isUnanswered('ada', 'k'), kept.unanswered('bob')]).toEqual([
    act,
    true,
    undefined,
  ])
  nowMs += 1
  expect(kept.unanswered('ada')).toBeUndefined()
  await expect(kept.send('ada', act, ask)).rejects.toThrow(KeyTooOldError)
  // One that was never sent is as old.
  await expect(kept.send('bob', act, ask)).rejects.toThrow(KeyTooOldError)
  expect(asked).toBe(2)
  const later = { key: 'l', madeAtMs: nowMs }
  await expect(kept.send('ada', later, () => Promise.resolve('made'))).resolves.toBe('made')
  expect(kept.unanswered('ada')).toBeUndefined()
})
