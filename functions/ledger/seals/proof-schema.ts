import { orNull, uuidSchema } from '../../host/schema.ts'
import { holdStatuses } from '../holds/hold.ts'

const whole = { type: 'integer' } as const
const text = { type: 'string' } as const
const object = <const Properties extends Record<string, object>>(properties: Properties) =>
  ({
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties) as (keyof Properties)[],
    properties,
  }) as const

const sealedEnd = {
  leaf: object({ index: whole, version: whole, hash: text }),
  path: { type: 'array', items: text },
  checkpoint: text,
} as const

/** Schema of an AccountProof. */
export const proofSchema = {
  title: 'Proof',
  ...object({
    account: uuidSchema,
    opening: object({ version: whole, hash: text, balance_minor: text }),
    entries: {
      type: 'array',
      items: object({
        version: whole,
        transaction_id: uuidSchema,
        amount_minor: text,
        balance_after_minor: text,
        created_at: { type: 'string', format: 'date-time' },
        value_date: { type: ['string', 'null'], format: 'date' },
      }),
    },
    ...sealedEnd,
  }),
} as const

const holdProof = {
  account: uuidSchema,
  opening: object({ version: whole, hash: text, held_minor: text }),
  entries: {
    type: 'array',
    items: object({
      version: whole,
      hold_id: uuidSchema,
      status: { enum: holdStatuses },
      amount_minor: text,
      held_after_minor: text,
      captured_minor: orNull(text),
      transaction_id: orNull(uuidSchema),
      created_at: { type: 'string', format: 'date-time' },
    }),
  },
  ...sealedEnd,
} as const

/** Schema of a HoldProof. */
export const holdProofSchema = { title: 'HoldProof', ...object(holdProof) } as const

/** Schema of the proof of one hold, or of a part of it. */
export const proofOfHoldSchema = {
  title: 'ProofOfHold',
  ...object({
    ...holdProof,
    next_from: {
      type: ['integer', 'null'],
      description: '`from` of the next part; null if this is the last one',
    },
  }),
} as const
