import { randomUUID } from 'node:crypto'
import type { Bank } from './bank.ts'
import type { Answer } from './host.ts'
import { until } from './until.ts'

/** Sends a POST with a key, and repeats it until it is answered, as a client does whose bank is being killed.
 * An answer of 429 or 5xx is none. Nor is the one that a request with this key still runs: Postgres may need
 * a moment to see that a killed process is gone. */
export function postUntilAnswered(
  bank: Pick<Bank, 'call'>,
  token: string,
  path: string,
  body: object,
): Promise<Answer> {
  const headers = { 'idempotency-key': randomUUID() }
  return until(
    async () => {
      const given = await bank.call('POST', path, { token, body, headers })
      const isHeld = String(given.body?.type).endsWith('/idempotency-key-in-use')
      return given.status < 500 && given.status !== 429 && !isHeld && given
    },
    { timeoutMs: 240_000, everyMs: 100, what: `an answer of ${path}` },
  )
}
