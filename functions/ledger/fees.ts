import { feesChanged } from '../../eventing/contracts/fees.changed.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { FieldError } from '../host/problems.ts'
import { currencies } from '../host/values/currencies.ts'
import { givenRulesSchema, readRules, type FeeRules, type GivenRules } from './policies/fee-rules.ts'
import { feeSchema, toFee, type FeeRow } from './policies/fee.ts'
import { inThePast, invalidBody, policyFields, readValidFrom } from './policies/policy-body.ts'
import { currencySchema, formatAmount } from '../host/values/money.ts'
import { postedTypes } from './transactions/transaction.ts'

/** Transactions that a dry run reads at most. */
const TRIAL_MAX = 50_000

const proposal = {
  currency: { type: 'string', pattern: currencySchema.pattern },
  type: { enum: postedTypes },
  rules: { anyOf: [givenRulesSchema, { type: 'null' }] },
} as const

const trialSchema = {
  title: 'FeeTrial',
  type: 'object',
  additionalProperties: false,
  required: ['since', 'transactions', 'is_complete', 'amount', 'fees', 'proposed_fees', 'proposed_max'],
  properties: {
    since: { type: 'string', format: 'date-time' },
    transactions: { type: 'integer' },
    is_complete: { type: 'boolean' },
    amount: { type: 'string' },
    fees: { type: 'string' },
    proposed_fees: { type: 'string' },
    proposed_max: { type: 'string' },
  },
} as const

export default operation({
  name: 'fees',
  context: 'ledger',
  summary: 'Shows and sets what deposits, withdrawals and transfers cost',
  routes: [
    route({
      method: 'GET',
      path: '/fees',
      who: 'signed-in',
      summary: 'Fees in force and fees to come, by currency, type and time',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { currency: proposal.currency },
      },
      answers: {
        200: {
          type: 'object',
          additionalProperties: false,
          required: ['items'],
          properties: { items: { type: 'array', items: feeSchema } },
        },
      },
      audits: { nothing: 'fees are no customer’s data' },
      handle: async ({ query, caller }, { db }) => {
        const rows = await db.query<FeeRow>({
          name: 'fees',
          text: `select * from fees_from(now()) where $1::text is null or currency = $1`,
          values: [query.currency],
        })
        return { status: 200, body: { items: rows.map((row) => toFee(row, caller)) } }
      },
    }),
    route({
      method: 'PUT',
      path: '/fees',
      who: 'operator',
      summary: 'Set the fee of a currency and type, from now or from a moment to come; null rules end it',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['currency', 'type', 'rules', 'reason'],
        properties: { ...proposal, ...policyFields },
      },
      answers: { 200: feeSchema },
      idempotent: true,
      handle: async ({ body, caller, idempotencyKey, traceparent }, { transact }) => {
        const rules = readProposal(body)
        const validFrom = readValidFrom(body.valid_from)
        return transact(traceparent, (tx) =>
          once(tx, 'fees', idempotencyKey, async () => {
            const [row] = await tx.query<FeeRow>({
              text: 'select * from set_fee($1, $2, $3, $4, $5, $6)',
              values: [
                body.currency,
                body.type,
                rules && JSON.stringify(rules),
                validFrom,
                caller.userId,
                body.reason,
              ],
            })
            if (!row?.version) throw inThePast()
            const fee = toFee(row, caller)
            tx.emit(feesChanged, {
              subject: String(fee.version),
              partitionkey: `${fee.currency}.${fee.type}`,
              data: {
                version: fee.version,
                currency: fee.currency,
                transaction_type: row.type,
                rules: fee.rules,
                valid_from: fee.valid_from,
                set_by: row.set_by,
                reason: row.reason,
                timestamp: row.set_at.toISOString(),
              },
            })
            return { status: 200, body: fee, about: { subject: `${fee.currency}.${fee.type}` } }
          }),
        )
      },
    }),
    route({
      method: 'POST',
      path: '/fees/dry-run',
      who: 'operator',
      summary: `What the transactions of the last days have cost, and would have cost by other rules; at most the newest ${TRIAL_MAX} of the bank are read`,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['currency', 'type', 'rules'],
        properties: { ...proposal, days: { type: 'integer', minimum: 1, maximum: 31, default: 7 } },
      },
      answers: { 200: trialSchema },
      audits: { nothing: 'sums over all customers tell nothing of one' },
      handle: async ({ body }, { db }) => {
        const rules = readProposal(body)
        const [row] = await db.query<TrialRow>({
          name: 'fee-trial',
          text: `select t.*, since from (select now() - make_interval(days => $4) as since) s,
            fee_trial($1, $2, $3, since, $5) t`,
          values: [body.currency, body.type, rules && JSON.stringify(rules), body.days, TRIAL_MAX],
        })
        const { since, transaction_count: count, is_complete: isComplete, ...sums } = row!
        const money = (sum: string | bigint): string => formatAmount(BigInt(sum), body.currency)
        return {
          status: 200,
          body: {
            since: since.toISOString(),
            transactions: Number(count),
            is_complete: isComplete,
            amount: money(sums.amount_sum),
            fees: money(sums.fee_sum),
            proposed_fees: money(sums.proposed_sum),
            proposed_max: money(sums.proposed_max),
          },
        }
      },
    }),
  ],
})

interface TrialRow {
  since: Date
  transaction_count: bigint
  amount_sum: string
  fee_sum: string
  proposed_sum: string
  proposed_max: bigint
  is_complete: boolean
}

/** Reads the rules that are set or tried out. Throws a ProblemError (400) that lists all that is wrong with
 * them. */
function readProposal({ currency, rules }: { currency: string; rules: GivenRules | null }): FeeRules | null {
  if (!currencies.has(currency))
    throw invalidBody([{ path: '/currency', message: 'must be a currency of ISO 4217, like "USD"' }])
  if (rules === null) return null
  const faults: FieldError[] = []
  const read = readRules(rules, currency, '/rules', faults)
  if (faults.length > 0) throw invalidBody(faults)
  return read
}
