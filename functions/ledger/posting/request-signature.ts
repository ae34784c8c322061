import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TransactionRequested } from '../../../eventing/contracts/transaction.requested.ts'
import { canonicalJson } from '../../host/canonical-json.ts'
import { EventRefusedError } from '../../host/http/events.ts'

/** Signs an order for its way through the Broker (HMAC-SHA-256, base64url). The function that signs has
 * checked the caller's token. The function that posts can't, because tokens may expire while the order is in
 * the queue. The signature that every event has would not do: contexts that listen to the ledger have its
 * key, and could order in any user's name. Nobody but the ledger has this one. */
export function signRequest(order: TransactionRequested, key: string): string {
  return createHmac('sha256', key).update(canonicalJson(order)).digest('base64url')
}

/** Throws an EventRefusedError where the signature is not one that signRequest() makes for this order. */
export function checkSignature(order: TransactionRequested, signature: unknown, key: string): void {
  const expected = Buffer.from(signRequest(order, key))
  const given = Buffer.from(typeof signature === 'string' ? signature : '')
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw new EventRefusedError(`The order ${order.transaction_id} was not signed by this bank.`)
}
