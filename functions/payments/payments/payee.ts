import type { CallFor, CustomerClient } from '../../host/http/call-for.ts'
import type { CallResponse } from '../../host/http/call.ts'
import { fieldsOf, notAsAgreed } from './ledger-answers.ts'
import type { PaymentRow } from './payment.ts'

/** Where the money of a payment goes. */
export interface Payee {
  accountId: string
  /** Whose account it is; null if the payer named the account. */
  userId: string | null
}

/** What tells who the payee is. `id` is that of the payment, or of the item of a payout. */
export type WantedPayee = Pick<
  PaymentRow,
  'id' | 'user_id' | 'account_id' | 'currency' | 'payee_account_id' | 'payee_email'
>

/** Finds the account that a payment goes to: the one that the payer named, or the payee's oldest open account
 * in the currency of the payment, checking accounts first. Returns undefined if nobody has the address, or if
 * its owner has no such account; nobody learns which. Rejects with UnavailableError if there is no answer. */
export async function findPayee(
  payment: WantedPayee,
  { callFor, traceparent }: { callFor: CallFor; traceparent: string },
): Promise<Payee | undefined> {
  if (payment.payee_account_id !== null) return { accountId: payment.payee_account_id, userId: null }
  const asked = await callFor(payment.user_id, traceparent)('users', {
    ...{ method: 'POST', path: '/users/find', body: { email: payment.payee_email } },
    // Nothing is changed, so asking again is harmless.
    idempotencyKey: `find-${payment.id}`,
  })
  const userId = readUser(asked)
  if (userId === null) return undefined
  const accounts = await accountsOf(userId, payment.currency, callFor(userId, traceparent))
  const account = accounts.find(({ id }) => id !== payment.account_id)
  return account && { accountId: account.id, userId }
}

/** Lists the open accounts of a payee in a currency: checking accounts first, then the oldest. `call` calls
 * on their behalf. Rejects with UnavailableError if there is no answer. */
export async function accountsOf(
  userId: string,
  currency: string,
  call: CustomerClient,
): Promise<ListedAccount[]> {
  const listed = await call('accounts', { path: '/accounts?status=open&limit=200' })
  return readAccounts(listed, userId)
    .filter((account) => account.currency === currency)
    .sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
}

const rank = ({ account_type: type }: ListedAccount): number => (type === 'checking' ? 0 : 1)

/** Reads whose an address is; null if nobody's. */
export function readUser(answer: CallResponse): string | null {
  const { user_id: userId } = fieldsOf(answer.body)
  // Nobody can register with an address that identity does not accept.
  if (answer.status === 400) return null
  if (answer.status === 200 && (typeof userId === 'string' || userId === null)) return userId
  throw notAsAgreed(answer)
}

interface ListedAccount {
  id: string
  user_id: string
  account_type: string
  currency: string
}

function readAccounts(answer: CallResponse, userId: string): ListedAccount[] {
  const { items } = fieldsOf(answer.body)
  if (answer.status !== 200 || !Array.isArray(items)) throw notAsAgreed(answer)
  const accounts = items as ListedAccount[]
  if (!accounts.every((account) => account.user_id === userId && typeof account.id === 'string'))
    throw notAsAgreed(answer)
  return accounts
}
