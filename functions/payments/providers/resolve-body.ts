import { reasonText, uuidSchema } from '../../host/schema.ts'

/** The body of the request with which an operator ends a dispute. */
export const resolveBody = {
  type: 'object',
  additionalProperties: false,
  required: ['action', 'reason'],
  properties: {
    action: {
      enum: ['dismiss', 'book', 'booked'],
      description:
        'dismiss: the dispute is settled outside the bank; book: ask the ledger to book it now; booked: the ' +
        'ledger has booked it, with `transaction_id`',
    },
    transaction_id: uuidSchema,
    reason: reasonText,
  },
} as const
