import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { uuidOrNull } from '../../../eventing/contracts/fields.ts'
import { customerTypes, offeredTypes } from './types.ts'

/** Schema of what is read here of any event. The rest is passed on as its context has signed it; checking it
 * again would take a validator of 5 kB for each type. */
const schema = { type: 'object', properties: { user_id: uuidOrNull, to_user_id: uuidOrNull } }

/** A contract for each type that a web hook can have. A test compares them with those of their contexts. */
export const offeredContracts: readonly EventContract[] = offeredTypes.map(({ type, context }) => ({
  ...{ type, context, schema },
  version: 1,
  description: 'Passed on to web hooks.',
  example: {},
}))

/** What an event says to those whom it concerns. */
export interface ViewedEvent {
  /** The customer; null for operators. */
  viewer: string | null
  data: Record<string, unknown>
}

/** Returns what each customer whom the event concerns may see of it, and what operators see: all of it.
 * Concerned are `user_id` of the data and, if there is one, `to_user_id`: a transfer concerns two customers,
 * and neither learns the other's balance, fee or user id. Nor do customers learn which operator did
 * something (`changed_by`). What they may not see is null. */
export function viewsOf(type: string, data: Record<string, unknown>): ViewedEvent[] {
  const views: ViewedEvent[] = [{ viewer: null, data }]
  if (!customerTypes.includes(type)) return views
  const [payer, payee] = [idIn(data.user_id), idIn(data.to_user_id)]
  const isBetweenTwo = payee !== undefined && payee !== payer
  if (payer) views.push(viewOf(payer, data, isBetweenTwo ? OF_PAYEE : []))
  if (isBetweenTwo) views.push(viewOf(payee, data, OF_PAYER))
  return views
}

/** Fields that only the payer sees, and those that only the payee sees. */
const OF_PAYER = ['user_id', 'new_balance', 'fee']
const OF_PAYEE = ['to_user_id', 'to_new_balance']

function viewOf(viewer: string, data: Record<string, unknown>, hidden: readonly string[]): ViewedEvent {
  const isHidden = (name: string, value: unknown): boolean =>
    hidden.includes(name) || (name.endsWith('_by') && value !== viewer)
  const fields = Object.entries(data).map(([name, value]) => [name, isHidden(name, value) ? null : value])
  return { viewer, data: Object.fromEntries(fields) as Record<string, unknown> }
}

const idIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
