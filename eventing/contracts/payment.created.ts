import type { EventContract } from './contract.ts'
import { textOrNull, timestamp, type Timestamp } from './fields.ts'
import {
  paymentEndExample,
  paymentEndProperties,
  paymentEndRequired,
  type PaymentEnd,
} from './payment-end.ts'

export interface PaymentCreated extends PaymentEnd {
  /** What the payer wrote about it; null if nothing. */
  description: string | null
  expires_at: Timestamp
}

export const paymentCreated: EventContract<PaymentCreated> = {
  type: 'payment.created',
  version: 1,
  context: 'payments',
  description: 'The ledger holds the money of a new payment.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...paymentEndRequired, 'description', 'expires_at'],
    properties: { ...paymentEndProperties, description: textOrNull, expires_at: timestamp },
  },
  example: {
    ...paymentEndExample,
    description: 'Hotel Adler, two nights',
    expires_at: '2026-01-06T09:30:00.000Z',
  },
}
