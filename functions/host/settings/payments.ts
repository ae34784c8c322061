import { oneOf, quota, secret, text, webHookSecrets, wholeNumber, type Setting } from '../setting-values.ts'

/** The settings of web hooks, providers and payees. */
export const settings = {
  PAYEE_RATE: {
    about: 'payees that one caller may look up, as number/seconds; off is no limit',
    parse: quota,
    fallback: '30/3600',
  },
  WEB_HOOK_KEY: {
    about: 'secret of at least 32 characters from which those of web hooks follow',
    parse: secret,
  },
  PAYMENT_PROVIDER: {
    about: 'name of the provider for new top-ups and withdrawals; if empty, there are none',
    parse: text,
    fallback: '',
  },
  SANDBOX_HOOK_SECRETS: {
    about: 'one or two whsec_ secrets of the sandbox provider’s web hooks, separated by blanks',
    parse: webHookSecrets,
    fallback: '',
  },
  SANDBOX_SETTLE_MS: {
    about: 'milliseconds after which the sandbox provider settles',
    parse: wholeNumber(0, 20_000, 'a number of milliseconds'),
    fallback: '2000',
  },
  WEB_HOOK_PRIVATE_ADDRESSES: {
    about: 'allowed or refused, for web hooks',
    parse: oneOf('allowed', 'refused'),
    fallback: 'refused',
  },
} as const satisfies Record<string, Setting<unknown>>
