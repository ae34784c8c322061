import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface OrderCancelled {
  order_id: Uuid
  /** Owner of the order. */
  user_id: Uuid
  account_id: Uuid
  /** The owner, or an operator. */
  cancelled_by: Uuid
  timestamp: Timestamp
}

const properties = { order_id: uuid, user_id: uuid, account_id: uuid, cancelled_by: uuid, timestamp }

export const orderCancelled: EventContract<OrderCancelled> = {
  type: 'order.cancelled',
  version: 1,
  context: 'payments',
  description: 'A payment order was cancelled: nothing more is paid for it.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: {
    order_id: '01936f0c-31d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    cancelled_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    timestamp: '2026-02-05T09:30:00.000Z',
  },
}
