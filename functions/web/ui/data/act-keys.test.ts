import { BankProblem, NoAnswerError } from '../../client/index.ts'
import { ActKeys } from './act-keys.ts'

const refused = (status: number, code: string): BankProblem =>
  new BankProblem(
    status,
    new Headers(),
    { type: `/problems/${code}` },
    { attempts: 1, isOutcomeUnknown: false },
  )
const noAnswer = new NoAnswerError('POST /api/accounts/{id}/freeze', new Error('lost'), { attempts: 1 })
const freeze = { act: 'freeze', reason: 'Card lost' }

/** Returns the keys of two sendings, and what the first of them gave. */
function twice(outcome: unknown, next: unknown = freeze): [string, string] {
  const keys = new ActKeys()
  const first = keys.keyOf(freeze)
  keys.hear(outcome)
  return [first, keys.keyOf(next)]
}

test('an act without an answer keeps its key, also if it is then refused on the way to the bank', () => {
  const keys = new ActKeys()
  const first = keys.keyOf(freeze)
  for (const outcome of [noAnswer, refused(429, 'too-many-requests'), refused(503, 'unavailable')]) {
    keys.hear(outcome)
    expect(keys.keyOf({ ...freeze })).toBe(first)
  }
  keys.hear(refused(409, 'account-frozen'))
  expect(keys.keyOf(freeze)).not.toBe(first)
})

test.each([
  ['what was done', null, freeze],
  ['a refusal, which the bank keeps under its key', refused(409, 'insufficient-funds'), freeze],
  ['what was never sent on', refused(429, 'too-many-requests'), freeze],
  ['another act, although the first has no answer', noAnswer, { act: 'freeze', reason: 'Stolen' }],
])('after %s there is another key', (_what, outcome, next) => {
  const [first, second] = twice(outcome, next)
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  expect(second).not.toBe(first)
})

test('an act that is given twice before there is an answer has one key', () => {
  const keys = new ActKeys()
  const first = keys.keyOf(freeze)
  expect(keys.keyOf({ ...freeze })).toBe(first)
  keys.hear(null)
  expect(keys.keyOf(freeze)).not.toBe(first)
})

test('what is sent without an answer keeps its key until there is one', async () => {
  const keys = new ActKeys()
  const used: string[] = []
  const send = (outcome?: Error) =>
    keys.send(freeze, async (key) => {
      used.push(key)
      if (outcome) throw outcome
    })
  await expect(send(noAnswer)).rejects.toBe(noAnswer)
  await send()
  await send()
  expect(used[1]).toBe(used[0])
  expect(used[2]).not.toBe(used[0])
})
