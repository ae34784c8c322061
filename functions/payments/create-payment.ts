import { located } from '../host/answer-of.ts'
import { ProblemError, problems } from '../host/problems.ts'
import type { Transaction } from '../host/database/database.ts'
import { keyReused, replayed } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import { personalText, uuidSchema } from '../host/schema.ts'
import { amountSchema, currencySchema, readAmount } from '../host/values/money.ts'
import { claimKey } from './payments/keys.ts'
import {
  EMAIL,
  findPayment,
  paymentColumns,
  paymentSchema,
  toPayment,
  type PaymentRow,
} from './payments/payment.ts'
import { placingProblems, placingRefusal } from './payments/refusals.ts'
import { settle } from './payments/settle.ts'

const DAY_SECONDS = 86_400

interface PaymentBody {
  payee_account_id?: string
  payee_email?: string
  return_url?: string
}

export default operation({
  name: 'create-payment',
  context: 'payments',
  summary: 'Creates a payment: its money is held until it is executed, cancelled or expires',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/payments/create',
      who: 'signed-in',
      summary: 'Create a payment; expires_in is in seconds (a day, if it is left out)',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount'],
        'x-contract': { oneOf: [{ required: ['payee_account_id'] }, { required: ['payee_email'] }] },
        properties: {
          account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: personalText,
          payee_account_id: uuidSchema,
          payee_email: { 'x-personal': true, type: 'string', maxLength: 254, pattern: EMAIL },
          return_url: {
            'x-personal': true,
            type: 'string',
            maxLength: 2_000,
            'x-contract': { pattern: '^[Hh][Tt][Tt][Pp][Ss]://[!-[\\]-~]+$' },
          },
          expires_in: { type: 'integer', minimum: 60, maximum: 7 * DAY_SECONDS, default: DAY_SECONDS },
        },
      },
      answers: { 201: located(paymentSchema) },
      problems: placingProblems,
      idempotent: true,
      handle: async ({ body, caller, idempotencyKey, traceparent, client }, tools) => {
        const amount = readAmount(body.amount, body.currency, '/amount')
        const asked: AskedPayment = { ...body, ...readPayee(body), amount, userId: caller.userId }
        const stored = await tools.transact(traceparent, async (tx) => {
          const id = await newId(tx)
          const key = await claimKey(tx, 'create-payment', idempotencyKey, id)
          if (key !== 'first') return { earlier: key, about: 'nothing-changed' as const }
          const payment = await store(tx, id, asked)
          return { payment, about: { subject: id, ownerId: caller.userId } }
        })
        if ('payment' in stored) return toReply(await settle(stored.payment, tools, { traceparent, client }))
        const { earlier } = stored
        if (earlier === 'reused') return keyReused()
        const payment = await findPayment(tools.db, earlier.subject, caller)
        if (!payment) throw new Error('the payment of an idempotency key is not there')
        // The process that made it may have died before the ledger answered.
        return replayed(toReply(await settle(payment, tools, { traceparent, client })))
      },
    }),
  ],
})

interface AskedPayment {
  userId: string
  account_id: string
  amount: bigint
  currency: string
  description?: string
  payee_account_id: string | null
  payee_email: string | null
  return_url: string | null
  expires_in: number
}

/** Reads who is paid, and where the payer goes then. Throws a ProblemError (400) unless exactly one payee is
 * given, and for a URL that is not https or holds a password. */
function readPayee(body: PaymentBody): Pick<AskedPayment, 'payee_account_id' | 'payee_email' | 'return_url'> {
  const { payee_account_id: accountId, payee_email: email, return_url: url } = body
  if ((accountId === undefined) === (email === undefined))
    throw invalid('/payee_account_id', 'must be given, or payee_email, but not both')
  if (url !== undefined && !isReturnUrl(url))
    throw invalid('/return_url', 'must be an https URL without a user and a password')
  return {
    payee_account_id: accountId?.toLowerCase() ?? null,
    payee_email: email?.toLowerCase() ?? null,
    return_url: url ?? null,
  }
}

function isReturnUrl(text: string): boolean {
  if (!/^https:\/\/[\x21-\x7e]+$/i.test(text) || text.includes('\\')) return false
  try {
    const { protocol, username, password } = new URL(text)
    return protocol === 'https:' && username === '' && password === ''
  } catch {
    return false
  }
}

const invalid = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', {
    errors: [{ path, message }],
  })

async function newId(tx: Transaction): Promise<string> {
  const [row] = await tx.query<{ id: string }>({ name: 'payment-id', text: 'select uuidv7() as id' })
  return row!.id
}

async function store(tx: Transaction, id: string, asked: AskedPayment): Promise<PaymentRow> {
  const [row] = await tx.query<PaymentRow>({
    name: 'payment-insert',
    text: `insert into payments (id, user_id, account_id, amount, currency, description, payee_account_id,
        payee_email, return_url, expires_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
        date_trunc('milliseconds', now()) + $10 * interval '1 second')
      returning ${paymentColumns}`,
    values: [
      ...[id, asked.userId, asked.account_id, asked.amount, asked.currency, asked.description],
      ...[asked.payee_account_id, asked.payee_email, asked.return_url, asked.expires_in],
    ],
  })
  return row!
}

/** The answer says what the payment was like when it was created, whatever has become of it since. */
function toReply(payment: PaymentRow): Reply {
  const { id, hold_id: holdId, failure } = payment
  if (holdId === null) return placingRefusal(failure!)
  const created = {
    ...payment,
    status: 'created',
    failure: null,
    transaction_id: null,
    ended_at: null,
  } as const
  return { status: 201, headers: { location: `/api/payments/${id}` }, body: toPayment(created) }
}
