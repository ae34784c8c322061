import { origins, quota, text, type Setting } from '../setting-values.ts'

/** The settings of the front door: who may call how often, and from which pages (docs/front-door.md). */
export const settings = {
  CORS_ORIGINS: {
    about: 'origins of pages elsewhere that may call the bank, separated by commas; empty is none',
    parse: origins,
    fallback: '',
  },
  REQUEST_RATE: {
    about: 'requests from one address to one front door, as number/seconds; off is no limit',
    parse: quota,
    fallback: '6000/60',
  },
  HOOK_RATE: {
    about: 'web hooks of providers from one address to one front door, as number/seconds; off is no limit',
    parse: quota,
    fallback: '60000/60',
  },
  DEMO_KEY: {
    about: 'the secret without which the local runtime signs in no demo customer; empty if there is none',
    parse: text,
    fallback: '',
  },
} as const satisfies Record<string, Setting<unknown>>
