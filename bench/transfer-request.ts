import type { OutgoingRequest } from '../functions/host/http/send.ts'

/** Returns the request for a transfer of one dollar between two of a customer's accounts: the `n`th and the
 * one after it, around the list. */
export function transferRequest(
  n: number,
  { url, token, accounts, key, timeoutMs }: TransferAsked,
): OutgoingRequest {
  const [from, to] = [accounts[n % accounts.length]!, accounts[(n + 1) % accounts.length]!]
  return {
    ...{ url, timeoutMs },
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'idempotency-key': key,
    },
    body: JSON.stringify({ type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }),
  }
}

interface TransferAsked {
  url: string
  token: string
  /** The customer's accounts. */
  accounts: readonly string[]
  /** The idempotency key. */
  key: string
  /** Milliseconds to wait for the answer. */
  timeoutMs: number
}
