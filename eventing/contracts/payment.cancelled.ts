import type { EventContract } from './contract.ts'
import { paymentEndExample, paymentEndSchema, type PaymentEnd } from './payment-end.ts'

export const paymentCancelled: EventContract<PaymentEnd> = {
  type: 'payment.cancelled',
  version: 1,
  context: 'payments',
  description: 'A payment was cancelled: its money is available again.',
  schema: paymentEndSchema,
  example: paymentEndExample,
}
