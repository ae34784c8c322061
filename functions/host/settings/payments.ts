import { oneOf, secret, type Setting } from '../setting-values.ts'

/** The settings of web hooks. */
export const settings = {
  WEB_HOOK_KEY: {
    about: 'secret of at least 32 characters from which those of web hooks follow',
    parse: secret,
  },
  WEB_HOOK_PRIVATE_ADDRESSES: {
    about: 'allowed or refused, for web hooks',
    parse: oneOf('allowed', 'refused'),
    fallback: 'refused',
  },
} as const satisfies Record<string, Setting<unknown>>
