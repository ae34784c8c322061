import { BankProblem, type Payee } from '../../client/index.ts'
import { api } from './api.ts'

export type { Payee }

/** Finds whom an account number or an e-mail address means. Of an address, the account in this currency.
 * Rejects with a BankProblem `payee-not-found`. */
export function findPayee(asked: string, currency: string): Promise<Payee> {
  const query = asked.includes('@') ? { email: asked, currency } : { number: asked.replaceAll(/\s/g, '') }
  return api.get('/api/payees', { query })
}

/** The payee's account has another currency than what is paid. */
export class OtherCurrencyError extends Error {
  readonly currency: string

  constructor(currency: string) {
    super(`the account of the payee is in ${currency}`)
    this.currency = currency
  }
}

/** Whether a failure of findPayee() says that there is no such payee: unknown, or a number with a wrong check
 * digit. */
export const isUnknownPayee = (error: unknown): boolean =>
  error instanceof BankProblem && error.is('payee-not-found', 'invalid-input')

/** Whether a text can be an address or an account number. */
export const canBePayee = (asked: string): boolean =>
  asked.includes('@') || /^[1-9]\d{11}$/.test(asked.replaceAll(/\s/g, ''))
