import type { EventContract } from './contract.ts'
import { text } from './fields.ts'
import {
  paymentEndExample,
  paymentEndProperties,
  paymentEndRequired,
  type PaymentEnd,
} from './payment-end.ts'

export interface PaymentFailed extends PaymentEnd {
  /** Name of the refusal. */
  failure: string
}

export const paymentFailed: EventContract<PaymentFailed> = {
  type: 'payment.failed',
  version: 1,
  context: 'payments',
  description: 'A payment could not be executed. Its money is available again, unless an operator took it.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...paymentEndRequired, 'failure'],
    properties: { ...paymentEndProperties, failure: text },
  },
  example: {
    ...paymentEndExample,
    failure: 'account-frozen',
  },
}
