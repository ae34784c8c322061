import { located } from '../host/answer-of.ts'
import { payoutRequested } from '../../eventing/contracts/payout.requested.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { define, problem, ProblemError, problems, type FieldError } from '../host/problems.ts'
import type { OnBehalf } from '../host/route-request.ts'
import { shortText, uuidSchema } from '../host/schema.ts'
import type { Emitting, Tools } from '../host/tools.ts'
import { amountSchema, checkAmount } from '../host/values/money.ts'
import { finalRefusals } from './calls/check-transfer.ts'
import { payoutColumns, payoutSchema, toPayout, type PayoutRow } from './payouts/payout.ts'

const ITEMS_MAX = 1000
const ERRORS_MAX = 20
/** Payouts of one customer that run at once. They are paid in turns, so others would wait for each. */
const RUNNING_MAX = 10

const tooManyPayouts = define(
  'too-many-payouts',
  409,
  'The customer has the highest number of running payouts',
)

// As identity takes it.
const EMAIL =
  "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+" +
  '[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$'

interface AskedItem {
  to_account_id?: string
  email?: string
  amount: string | number
  note?: string
}

export default operation({
  name: 'create-payout',
  context: 'payments',
  summary: 'Takes up to a thousand transfers from one account, which are paid after the answer',
  routes: [
    route({
      method: 'POST',
      path: '/payments/payout',
      who: 'signed-in',
      summary: 'Pay many payees; each item is paid or refused by itself',
      // Enough for a thousand items with short notes.
      bodyBytesMax: 512_000,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'items'],
        properties: {
          account_id: uuidSchema,
          items: {
            type: 'array',
            minItems: 1,
            maxItems: ITEMS_MAX,
            // If there are too many items, only their number is reported.
            if: { maxItems: ITEMS_MAX },
            then: {
              items: {
                type: 'object',
                additionalProperties: false,
                required: ['amount'],
                'x-contract': { oneOf: [{ required: ['to_account_id'] }, { required: ['email'] }] },
                properties: {
                  to_account_id: uuidSchema,
                  email: { 'x-personal': true, type: 'string', maxLength: 254, pattern: EMAIL },
                  amount: amountSchema,
                  note: shortText,
                },
              },
            },
          },
        },
      },
      answers: { 202: located(payoutSchema) },
      problems: [finalRefusals['account-not-found'], finalRefusals['account-closed'], tooManyPayouts],
      idempotent: true,
      handle: async (request, tools) => {
        const { body, caller, idempotencyKey, traceparent } = request
        const account = await findOwnAccount(body.account_id, request, tools)
        const currency = account?.currency
        const items = currency ? readItems(body.items as AskedItem[], currency) : []
        return tools.transact(traceparent, (tx) =>
          once(tx, 'create-payout', idempotencyKey, async () => {
            if (!account)
              return problem(finalRefusals['account-not-found'], 'You have no account with this id.')
            if (account.status === 'closed')
              return problem(finalRefusals['account-closed'], 'A closed account can’t pay.')
            await refuseTooMany(tx, caller.userId)
            const payout = await insertPayout(tx, { userId: caller.userId, account, items })
            tx.emit(payoutRequested, {
              subject: payout.id,
              partitionkey: payout.account_id,
              data: {
                payout_id: payout.id,
                user_id: payout.user_id,
                account_id: payout.account_id,
                items: items.length,
                timestamp: payout.created_at.toISOString(),
              },
            })
            return {
              status: 202,
              headers: { location: `/api/payments/payout/${payout.id}/status` },
              body: toPayout(payout, { pending: items.length, paid: 0, refused: 0 }),
            }
          }),
        )
      },
    }),
  ],
})

interface OwnAccount {
  id: string
  user_id: string
  currency: string
  status: string
}

/** Returns the caller's own account, as the ledger shows it to them; undefined if it is not theirs. */
async function findOwnAccount(
  id: string,
  { caller, client, traceparent }: OnBehalf,
  { call }: Pick<Tools, 'call'>,
): Promise<OwnAccount | undefined> {
  const answer = await call('accounts', {
    path: `/accounts/${id}`,
    token: caller.token,
    client,
    traceparent,
  })
  if (answer.status === 404) return undefined
  const account = (answer.body ?? {}) as Partial<OwnAccount>
  if (answer.status !== 200 || account.currency === undefined)
    throw new UnavailableError(`accounts answered ${answer.status}`)
  // Operators see all accounts, but only the owner of money may send it.
  return account.user_id === caller.userId ? (account as OwnAccount) : undefined
}

interface ReadItem extends Omit<AskedItem, 'amount'> {
  number: number
  /** In minor units. */
  amount: string
}

/** Throws a ProblemError (400) whose faults point into the item they are in: `/items/3/amount`. */
function readItems(items: readonly AskedItem[], currency: string): ReadItem[] {
  const faults: FieldError[] = []
  const read = items.map((item, i) => {
    const at = `/items/${i}`
    if ((item.to_account_id === undefined) === (item.email === undefined))
      faults.push({ path: at, message: 'must have either to_account_id or email' })
    const checked = checkAmount(item.amount, currency, '/amount', { at })
    if (!('minorUnits' in checked)) faults.push(checked)
    return { ...item, number: i + 1, amount: 'minorUnits' in checked ? String(checked.minorUnits) : '' }
  })
  if (faults.length === 0) return read
  throw new ProblemError(problems.invalidInput, 'Nothing is paid, because part of the payout is not valid.', {
    errors: faults.slice(0, ERRORS_MAX),
  })
}

/** Throws a ProblemError if the customer has too many running payouts. It is thrown, so that the key stays
 * unused and the request can be repeated. Requests of one customer wait for each other here. */
async function refuseTooMany(tx: Emitting, userId: string): Promise<void> {
  await tx.query({
    name: 'payouts-of-user-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('payouts of ' || $1, 0))`,
    values: [userId],
  })
  const [row] = await tx.query<{ count: number }>({
    name: 'payouts-of-user-count',
    text: 'select count(*)::integer as count from payouts where user_id = $1 and completed_at is null',
    values: [userId],
  })
  if (row!.count >= RUNNING_MAX)
    throw new ProblemError(
      tooManyPayouts,
      `A customer can have ${RUNNING_MAX} running payouts. Wait for one to end.`,
    )
}

async function insertPayout(
  tx: Emitting,
  { userId, account, items }: { userId: string; account: OwnAccount; items: readonly ReadItem[] },
): Promise<PayoutRow> {
  const [payout] = await tx.query<PayoutRow>({
    name: 'payout-insert',
    text: `insert into payouts (user_id, account_id, currency) values ($1, $2, $3) returning ${payoutColumns}`,
    values: [userId, account.id, account.currency],
  })
  await tx.query({
    name: 'payout-items-insert',
    text: `insert into payout_items (payout_id, number, to_account_id, email, amount, note)
      select $1, number, to_account_id, email, amount, note
      from json_to_recordset($2) as i(number integer, to_account_id uuid, email text, amount bigint, note text)`,
    values: [payout!.id, JSON.stringify(items)],
  })
  return payout!
}
