import { randomUUID } from 'node:crypto'
import type { CallFor } from '../../host/http/call-for.ts'
import type { CallResponse } from '../../host/http/call.ts'
import { fieldsOf, notAsAgreed } from './ledger-answers.ts'
import { accountsOf, readUser } from './payee.ts'

/** What a payer learns of a payee before they pay. */
export interface ShownPayee {
  account_id: string
  /** First name and initials. */
  name: string
  currency: string
}

export type AskedPayee = { number: string } | { email: string; currency: string }

interface FoundAccount {
  id: string
  user_id: string
  currency: string
}

/** Finds the payee with an account number, or with a confirmed email address and an open account in the
 * currency. Returns undefined if there is none, and nobody learns why. What is not found costs the same calls
 * as what is, so the time tells nothing either. Rejects with UnavailableError if there is no answer. */
export async function showPayee(
  asked: AskedPayee,
  callerId: string,
  { callFor, traceparent }: { callFor: CallFor; traceparent: string },
): Promise<ShownPayee | undefined> {
  const call = callFor(callerId, traceparent)
  const find = { method: 'POST', idempotencyKey: `payee-${randomUUID()}` }
  const named = async (id: string) => readName(await call('users', { path: `/users/${id}/shown-name` }))

  if ('number' in asked) {
    const body = { number: asked.number }
    const account = readAccount(await call('accounts', { ...find, path: '/accounts/find', body }))
    const name = await named(account?.user_id ?? randomUUID())
    return account && toShown(account, name)
  }
  const body = { email: asked.email }
  const userId = readUser(await call('users', { ...find, path: '/users/find', body })) ?? randomUUID()
  const [name, [account]] = await Promise.all([
    named(userId),
    accountsOf(userId, asked.currency, callFor(userId, traceparent)),
  ])
  return account && toShown(account, name)
}

/** A payee who has left has no name any more. */
const toShown = ({ id, currency }: Pick<FoundAccount, 'id' | 'currency'>, name: string | null) =>
  name === null ? undefined : { account_id: id, name, currency }

function readAccount(answer: CallResponse): FoundAccount | undefined {
  const { account } = fieldsOf(answer.body)
  if (answer.status === 200 && account === null) return undefined
  const { id, user_id: userId, currency } = fieldsOf(account)
  if (answer.status === 200 && [id, userId, currency].every((field) => typeof field === 'string'))
    return account as FoundAccount
  throw notAsAgreed(answer)
}

function readName(answer: CallResponse): string | null {
  const { shown_name: name } = fieldsOf(answer.body)
  if (answer.status === 200 && (typeof name === 'string' || name === null)) return name
  throw notAsAgreed(answer)
}
