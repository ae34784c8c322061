import { reasonText, uuidSchema } from '../../host/schema.ts'
import { resolveActions } from './provider-transfer.ts'

/** The body of the request with which an operator ends a dispute. */
export const resolveBody = {
  type: 'object',
  additionalProperties: false,
  required: ['action', 'reason'],
  properties: {
    action: {
      enum: resolveActions,
      description:
        'dismiss: it was settled outside the bank; what the ledger can never book becomes `failed`. ' +
        'book: ask the ledger to book it now. booked: the ledger has booked it, with `transaction_id`.',
    },
    transaction_id: uuidSchema,
    reason: reasonText,
  },
} as const
