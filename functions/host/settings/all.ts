import type { Context } from '../../contexts.ts'
import type { Setting } from '../setting-values.ts'
import { settings as documents } from './documents.ts'
import { settings as identity } from './identity.ts'
import { settings as ledger } from './ledger.ts'
import { settings as notifications } from './notifications.ts'
import { settings as payments } from './payments.ts'
import { settings as platform } from './platform.ts'
import { settings as web } from './web.ts'

/** The settings of each context. No function loads this file: the build gives each those of its context. */
export const contextSettings = {
  identity,
  ledger,
  notifications,
  payments,
  documents,
  web,
  platform,
} as const satisfies Record<Context, Record<string, Setting<unknown>>>
