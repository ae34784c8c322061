import type { Caller } from '../../host/route-request.ts'
import { ProblemError, problems, type FieldError } from '../../host/problems.ts'
import { uuidSchema, type Infer } from '../../host/schema.ts'
import { checkMetadata, requireMayDate, toPostedTransaction } from './money-request.ts'
import { checkAmount } from '../../host/values/money.ts'
import type { PostingFailure, PostingOutcome } from './post.ts'
import { toPosting, type Asked, type PostingRequest } from './posting-request.ts'
import { refusal, type BatchRefusal } from './refusals.ts'
import { moneyFields, postedTypes, transactionSchema, valueDateField } from '../transactions/transaction.ts'

/** Schema of one transaction of a batch. checkFields() sees to it that transfers, and only they, have
 * `to_account_id`, and only the others a value date. It says better than a schema what is wrong, so only the
 * contract has that too. */
export const batchedSchema = {
  title: 'BatchedTransaction',
  type: 'object',
  additionalProperties: false,
  required: ['type', 'account_id', 'amount'],
  'x-contract': {
    if: { properties: { type: { const: 'transfer' } } },
    then: { required: ['to_account_id'], properties: { to_account_id: {}, value_date: false } },
    else: { properties: { to_account_id: false } },
  },
  properties: {
    type: { enum: postedTypes },
    ...moneyFields,
    to_account_id: uuidSchema,
    ...valueDateField,
  },
} as const

export type BatchedTransaction = Infer<typeof batchedSchema>

/** The answer: the outcome of each transaction, in the order of the requests. */
export const batchSchema = {
  title: 'Batch',
  type: 'object',
  additionalProperties: false,
  required: ['results'],
  properties: {
    results: {
      type: 'array',
      items: {
        anyOf: [
          {
            type: 'object',
            additionalProperties: false,
            required: ['status', 'transaction'],
            properties: { status: { const: 201 }, transaction: transactionSchema },
          },
          {
            type: 'object',
            additionalProperties: false,
            required: ['status', 'problem'],
            properties: {
              // The same status as if the transaction had come alone; 424 if only other transactions were
              // refused.
              status: { enum: [404, 409, 422, 424] },
              problem: {
                type: 'object',
                additionalProperties: false,
                required: ['type', 'title', 'status', 'detail'],
                properties: {
                  type: { type: 'string' },
                  title: { type: 'string' },
                  status: { type: 'integer' },
                  detail: { type: 'string' },
                },
              },
            },
          },
        ],
      },
    },
  },
} as const

const ERRORS_MAX = 20

/** Returns what is wrong with the fields that not every type of transaction has. `at` is the JSON pointer to
 * the transaction. */
export function checkFields(
  { type, to_account_id: to, value_date: valueDate }: BatchedTransaction,
  at = '',
): FieldError[] {
  const faults: FieldError[] = []
  if ((type === 'transfer') !== (to !== undefined))
    faults.push({
      path: `${at}/to_account_id`,
      message: to === undefined ? 'is required' : 'is not known here',
    })
  if (type === 'transfer' && valueDate !== undefined)
    faults.push({ path: `${at}/value_date`, message: 'is not known here' })
  return faults
}

/** Reads the transactions of a batch, ready to post. Throws a ProblemError (400) whose faults point into the
 * transaction they are in: `/transactions/3/amount`; or one (403) for a value date that the caller may not
 * give. */
export function readBatch(transactions: readonly BatchedTransaction[], asked: Asked): PostingRequest[] {
  const faults: FieldError[] = []
  const postings: PostingRequest[] = []
  transactions.forEach((transaction, i) => {
    const { type, amount, currency = 'USD' } = transaction
    const at = `/transactions/${i}`
    faults.push(...checkFields(transaction, at))
    const tooLarge = checkMetadata(transaction, at)
    if (tooLarge) faults.push(tooLarge)
    const checked = checkAmount(amount, currency, '/amount', { at })
    if ('minorUnits' in checked) postings.push(toPosting(type, transaction, checked.minorUnits, asked))
    else faults.push(checked)
  })
  if (faults.length === 0) {
    for (const transaction of transactions) requireMayDate(transaction, asked.caller)
    return postings
  }
  throw new ProblemError(
    problems.invalidInput,
    'Nothing was posted, because part of the batch is not valid.',
    {
      errors: faults.slice(0, ERRORS_MAX),
    },
  )
}

type StoredOutcome = readonly [transactionId: string, balanceAfter: string, fee?: string]

/** The outcome of a batch, as stored with its Idempotency-Key. Together with the request, which must be the
 * same, it gives the same answer again. The answer itself would be ten times as long. */
export interface BatchOutcome {
  /** When the batch was posted (one moment for all of it), RFC 3339 in UTC; null if none of it was posted. */
  posted_at: string | null
  /** In the order of the requests: id, balance after it and fee (minor units) if posted, otherwise the
   * refusal. */
  outcomes: (StoredOutcome | PostingFailure | BatchRefusal)[]
}

export function toBatchOutcome(outcomes: readonly PostingOutcome[]): BatchOutcome {
  const posted = outcomes.find((outcome) => outcome.outcome === 'posted')
  return {
    posted_at: posted?.postedAt.toISOString() ?? null,
    outcomes: outcomes.map((one) => (one.outcome === 'posted' ? toStored(one) : one.outcome)),
  }
}

const toStored = ({
  transactionId,
  balanceAfter,
  fee,
}: PostingOutcome & { outcome: 'posted' }): StoredOutcome =>
  fee === null ? [transactionId, String(balanceAfter)] : [transactionId, String(balanceAfter), String(fee)]

/** Returns the outcome of an atomic batch that was not posted. */
export const toNotPosted = (
  outcomes: readonly ('posted' | PostingFailure | BatchRefusal)[],
): BatchOutcome => ({
  posted_at: null,
  outcomes: outcomes.map((outcome) => (outcome === 'posted' ? 'not-posted' : outcome)),
})

/** Returns the body of the answer. */
export const toResults = (
  { posted_at: postedAt, outcomes }: BatchOutcome,
  postings: readonly PostingRequest[],
  caller: Caller,
) => ({
  results: outcomes.map((outcome, i) => {
    if (typeof outcome === 'string') {
      const { status, body } = refusal(outcome)
      return { status, problem: body }
    }
    const [transactionId, balanceAfter, fee] = outcome
    const posted = {
      transactionId,
      balanceAfter: BigInt(balanceAfter),
      fee: fee === undefined ? null : BigInt(fee),
      postedAt: new Date(postedAt!),
    }
    return { status: 201, transaction: toPostedTransaction(postings[i]!, posted, caller) }
  }),
})
