import { parseAmount } from '../../host/values/money.ts'
import { currencies } from '../../host/values/currencies.ts'
import type { ProviderReport } from './provider.ts'
import { OWN_UUID } from '../../host/values/uuid-text.ts'

const NAME = /^[a-z0-9-]{1,60}$/

/** Reads what the sandbox says of a transfer, in its answers and its web hooks; undefined if it is not whole
 * or makes no sense. */
export function readReport(value: unknown): ProviderReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const {
    reference,
    id,
    kind,
    state,
    amount,
    currency,
    reason,
    next_url: nextUrl,
  } = value as Record<string, unknown>
  if (typeof reference !== 'string' || !OWN_UUID.test(reference)) return undefined
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(id)) return undefined
  if (kind !== 'top-up' && kind !== 'withdrawal') return undefined
  if (state !== 'pending' && state !== 'settled' && state !== 'failed') return undefined
  if (typeof amount !== 'string' || typeof currency !== 'string' || !currencies.has(currency))
    return undefined
  const parsed = parseAmount(amount, currency)
  if ('invalid' in parsed) return undefined
  return {
    ...{ reference, providerId: id, kind, state, currency },
    amount: parsed.minorUnits,
    reason: typeof reason === 'string' && NAME.test(reason) ? reason : null,
    nextUrl: typeof nextUrl === 'string' && /^https?:\/\/[\x21-\x7e]{1,2000}$/.test(nextUrl) ? nextUrl : null,
  }
}
