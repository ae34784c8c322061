import { BankProblem, NoAnswerError } from '../../client/index.ts'
import { isOutcomeOpen } from './open-outcome.ts'

const answered = (status: number, code: string): BankProblem =>
  new BankProblem(
    status,
    new Headers(),
    { type: `/problems/${code}` },
    { attempts: 1, isOutcomeUnknown: false },
  )
const noAnswer = new NoAnswerError('POST /api/orders', new Error('lost'), { attempts: 1 })

test.each([
  ['no answer', noAnswer, true, true],
  ['an error of the server', answered(503, 'unavailable'), true, true],
  ['a key in use', answered(409, 'idempotency-key-in-use'), true, true],
  ['too many requests', answered(429, 'too-many-requests'), false, true],
  ['a session that has ended', answered(401, 'unauthenticated'), false, true],
  ['a refusal that is kept', answered(409, 'insufficient-funds'), false, false],
  ['bad input', answered(400, 'invalid-input'), false, false],
])('%s, at first and after a call without an answer', (_what, error, atFirst, afterwards) => {
  expect([isOutcomeOpen(error, false), isOutcomeOpen(error, true)]).toEqual([atFirst, afterwards])
})
