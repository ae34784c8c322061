import type { EventContract } from './contract.ts'
import { holdEndExample, holdEndSchema, type HoldEnd } from './hold-end.ts'

export const holdReleased: EventContract<HoldEnd> = {
  type: 'hold.released',
  version: 1,
  context: 'ledger',
  description: 'A hold was released: its money is available again.',
  schema: holdEndSchema,
  example: holdEndExample,
}
