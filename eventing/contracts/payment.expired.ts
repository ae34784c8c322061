import type { EventContract } from './contract.ts'
import { paymentEndExample, paymentEndSchema, type PaymentEnd } from './payment-end.ts'

export const paymentExpired: EventContract<PaymentEnd> = {
  type: 'payment.expired',
  version: 1,
  context: 'payments',
  description: 'A payment was not executed in time: its money is available again.',
  schema: paymentEndSchema,
  example: paymentEndExample,
}
