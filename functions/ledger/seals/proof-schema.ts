import { uuidSchema } from '../../host/schema.ts'

const whole = { type: 'integer' } as const
const text = { type: 'string' } as const
const object = <const Properties extends Record<string, object>>(properties: Properties) =>
  ({
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties) as (keyof Properties)[],
    properties,
  }) as const

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
    leaf: object({ index: whole, version: whole, hash: text }),
    path: { type: 'array', items: text },
    checkpoint: text,
  }),
} as const
