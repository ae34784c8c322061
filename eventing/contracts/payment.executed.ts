import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'
import {
  paymentEndExample,
  paymentEndProperties,
  paymentEndRequired,
  type PaymentEnd,
} from './payment-end.ts'

export interface PaymentExecuted extends PaymentEnd {
  to_account_id: Uuid
  transaction_id: Uuid
}

export const paymentExecuted: EventContract<PaymentExecuted> = {
  type: 'payment.executed',
  version: 1,
  context: 'payments',
  description: 'A payment was executed: its money is with the payee.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...paymentEndRequired, 'to_account_id', 'transaction_id'],
    properties: { ...paymentEndProperties, to_account_id: uuid, transaction_id: uuid },
  },
  example: {
    ...paymentEndExample,
    to_account_id: '01936f0a-a411-7c55-8f0e-6f2a7c1d2e33',
    transaction_id: '01936f0e-21d2-7b1a-a1a4-2f0f6a1c9b55',
  },
}
