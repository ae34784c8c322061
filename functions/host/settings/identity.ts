import { json, quota, signInCode, text, wholeNumber, type Setting } from '../setting-values.ts'

/** The settings of registrations, log-ins and tokens. */
export const settings = {
  REGISTRATIONS_FREE: {
    about: 'registrations from one address in an hour before the next has to wait',
    parse: wholeNumber(1, 1000),
    fallback: '20',
  },
  LOGINS_FREE: {
    about: 'log-ins of one user from one address in an hour before the next has to wait',
    parse: wholeNumber(1, 1000),
    fallback: '100',
  },
  JWT_SIGNING_KEY: { about: 'private Ed25519 key that signs access tokens, as a JWK', parse: json },
  OPERATOR_EMAIL: { about: 'email address of the first operator', parse: text, fallback: '' },
  OPERATOR_PASSWORD: { about: 'password of the first operator', parse: text, fallback: '' },
  SIGN_IN_CODE: {
    about: 'hash of the code in the link that the start on a laptop printed, and until when it works',
    parse: signInCode,
    fallback: '',
  },
  SIGN_IN_RATE: {
    about: 'log-ins and registrations from one address, as number/seconds; off is no limit',
    parse: quota,
    fallback: '120/60',
  },
} as const satisfies Record<string, Setting<unknown>>
