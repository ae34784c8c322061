import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'
import { orderRunExample, orderRunProperties, type OrderRunEnd } from './order-run.ts'

export interface OrderRan extends OrderRunEnd {
  transaction_id: Uuid
}

const properties = { ...orderRunProperties, transaction_id: uuid }

export const orderRan: EventContract<OrderRan> = {
  type: 'order.ran',
  version: 1,
  context: 'payments',
  description: 'A payment order was due, and its money was paid.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: { ...orderRunExample, transaction_id: '01936f0c-51d2-7b1a-a1a4-2f0f6a1c9b55' },
}
