import type { EventContract } from './contract.ts'
import { text } from './fields.ts'
import { orderRunExample, orderRunProperties, type OrderRunEnd } from './order-run.ts'

export interface OrderFailed extends OrderRunEnd {
  /** Name of the ledger's last refusal; 'outcome-unknown' if nobody could find out whether it has paid. */
  problem: string
  /** How often it was tried. */
  attempts: number
  /** True if the bank has stopped the order, and the owner must resume it; false if it goes on or is over. */
  is_stopped: boolean
}

const properties = {
  ...orderRunProperties,
  problem: text,
  attempts: { type: 'integer', minimum: 1 },
  is_stopped: { type: 'boolean' },
}

export const orderFailed: EventContract<OrderFailed> = {
  type: 'order.failed',
  version: 1,
  context: 'payments',
  description: 'A payment order was due, and its money was not paid after all attempts.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: { ...orderRunExample, problem: 'insufficient-funds', attempts: 4, is_stopped: false },
}
