import type { EventContract } from './contract.ts'
import { holdEndExample, holdEndSchema, type HoldEnd } from './hold-end.ts'

export const holdExpired: EventContract<HoldEnd> = {
  type: 'hold.expired',
  version: 1,
  context: 'ledger',
  description: 'Nobody captured or released a hold in time: its money is available again.',
  schema: holdEndSchema,
  example: holdEndExample,
}
