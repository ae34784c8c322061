import { keySet, minorUnits, quota, secret, wholeNumber, type Setting } from '../setting-values.ts'

/** The settings of postings, seals and what a customer may have. */
export const settings = {
  REQUEST_SIGNING_KEY: {
    about: 'secret of at least 32 characters that signs orders on their way through the Broker',
    parse: secret,
  },
  SEAL_SIGNING_KEY: {
    about: 'private Ed25519 keys that sign seals, as a JWK Set: one, or two while one replaces the other',
    parse: keySet,
  },
  ACCOUNTS_PER_CUSTOMER_MAX: {
    about: 'accounts that a customer can have, closed ones included',
    parse: wholeNumber(1, 1000),
    fallback: '100',
  },
  ACCOUNT_BALANCE_MAX: {
    about: 'highest balance of accounts opened from now on, in minor units',
    parse: minorUnits,
    fallback: '100000000000000',
  },
  OWN_DEPOSIT_MAX: {
    about: 'largest deposit by the owner, for accounts opened from now on, in minor units',
    parse: minorUnits,
    fallback: '1000000000000',
  },
  STATEMENT_RATE: {
    about: 'statements of one caller, as number/seconds; off is no limit',
    parse: quota,
    fallback: '300/60',
  },
} as const satisfies Record<string, Setting<unknown>>
