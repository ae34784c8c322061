import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'
import {
  paymentEndExample,
  paymentEndProperties,
  paymentEndRequired,
  type PaymentEnd,
} from './payment-end.ts'

export interface PaymentReceived extends PaymentEnd {
  transaction_id: Uuid
}

export const paymentReceived: EventContract<PaymentReceived> = {
  type: 'payment.received',
  version: 1,
  context: 'payments',
  description:
    'A payment to the email address of a customer reached them. The user and the account are the payee’s.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...paymentEndRequired, 'transaction_id'],
    properties: { ...paymentEndProperties, transaction_id: uuid },
  },
  example: {
    ...paymentEndExample,
    transaction_id: '01936f0e-21d2-7b1a-a1a4-2f0f6a1c9b55',
  },
}
