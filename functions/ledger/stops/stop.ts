import { uuidSchema } from '../../host/schema.ts'

const momentOrNull = { type: ['string', 'null'], format: 'date-time' } as const
const faults = {
  type: ['array', 'null'],
  items: { type: 'object' },
} as const

/** Schema of a stop. */
export const stopSchema = {
  title: 'Stop',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'currency',
    'reason',
    'evidence',
    'stopped_by',
    'stopped_at',
    'lifted_by',
    'lifted_at',
    'lift_reason',
    'accepted',
  ],
  properties: {
    id: uuidSchema,
    currency: { type: ['string', 'null'], description: 'Null: all currencies.' },
    reason: { type: 'string' },
    evidence: {
      ...faults,
      description:
        'What the guard found wrong: accounts, transactions and sums, with amounts in minor units. Null for a stop by hand.',
    },
    stopped_by: {
      type: ['string', 'null'],
      format: 'uuid',
      description: 'The operator; null: the guard.',
    },
    stopped_at: { type: 'string', format: 'date-time' },
    lifted_by: { type: ['string', 'null'], format: 'uuid' },
    lifted_at: momentOrNull,
    lift_reason: { type: ['string', 'null'] },
    accepted: {
      ...faults,
      description: 'What was still wrong when the stop was lifted, on accounts that are frozen.',
    },
  },
} as const

export interface StopRow {
  id: string
  at: Date
  currency: string | null
  reason: string
  evidence: Fault[] | null
  stopped_by: string | null
  lifted_at: Date | null
  lifted_by: string | null
  lift_reason: string | null
  accepted: Fault[] | null
}

/** Something that is wrong in the books, as the SQL function that found it describes it. */
export interface Fault {
  problem: string
  account_id?: string
  transaction_id?: string
}

export const stopColumns =
  'id, at, currency, reason, evidence, stopped_by, lifted_at, lifted_by, lift_reason, accepted'

/** Returns a stop as the API shows it. */
export const toStop = ({ at, lifted_at: liftedAt, ...row }: StopRow) => ({
  ...row,
  stopped_at: at.toISOString(),
  lifted_at: liftedAt?.toISOString() ?? null,
})
