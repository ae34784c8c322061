import { uuidSchema } from '../../host/schema.ts'

/** Body of a request that ends a payment. */
export const paymentEnding = {
  type: 'object',
  additionalProperties: false,
  required: ['payment_id'],
  properties: { payment_id: uuidSchema },
} as const
