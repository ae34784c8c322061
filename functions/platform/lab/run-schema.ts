import type { Infer } from '../../host/schema.ts'
import { uuidSchema } from '../../host/schema.ts'
import { faultKinds, faultSchema } from './faults.ts'
import { scenarioNames } from './scenarios.ts'

/** A run of the lab, as the local runtime tells it and the API passes it on. */

const moment = { type: 'string', format: 'date-time' } as const
const momentOrNull = { type: ['string', 'null'], format: 'date-time' } as const
const count = { type: 'integer', minimum: 0 } as const

export const PER_SECOND_MAX = 200
export const SECONDS_MAX = 600
export const SEED_MAX = 4_294_967_295
export const FAULTS_MAX = 8

export const trafficSchema = {
  title: 'LabTraffic',
  type: 'object',
  additionalProperties: false,
  required: ['per_second'],
  properties: {
    per_second: { type: 'integer', minimum: 0, maximum: PER_SECOND_MAX, description: 'Transactions sent.' },
  },
} as const

export const seedSchema = { type: 'integer', minimum: 0, maximum: SEED_MAX } as const

export const invariantIds = ['money', 'answers', 'once', 'keys', 'events', 'ledger', 'poison'] as const

const invariant = {
  title: 'LabInvariant',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'state', 'checked_at', 'found'],
  properties: {
    id: { enum: invariantIds },
    state: { enum: ['ok', 'broken', 'unknown'], description: 'unknown: it could not be checked yet.' },
    checked_at: momentOrNull,
    found: { type: 'string', description: 'What the last check has found.' },
  },
} as const

const counts = {
  title: 'LabCounts',
  type: 'object',
  additionalProperties: false,
  required: [
    ...(['moved', 'refused', 'repeated', 'unanswered', 'deliveries', 'took_effect'] as const),
    ...(['dead_letters', 'lost', 'doubled', 'faults'] as const),
  ],
  properties: {
    moved: { ...count, description: 'Transactions that were answered as completed.' },
    refused: { ...count, description: 'Transactions that the bank refused.' },
    repeated: { ...count, description: 'How often one was sent again with its key.' },
    unanswered: { ...count, description: 'Transactions whose outcome nobody learnt.' },
    deliveries: { ...count, description: 'Deliveries of the events of these transactions to notify.' },
    took_effect: { ...count, description: 'Messages that were stored for these events.' },
    dead_letters: { ...count, description: 'Events of these transactions that are dead letters.' },
    lost: { ...count, description: 'Answered transactions that are not in the books.' },
    doubled: { ...count, description: 'Transactions in the books that nobody was told of.' },
    faults: { ...count, description: 'Faults that were made.' },
  },
} as const

const brokenSpot = {
  title: 'LabBrokenSpot',
  type: 'object',
  additionalProperties: false,
  required: ['place', 'fault', 'since'],
  properties: {
    place: { type: 'string', description: 'The name of a function; events, broker, rabbitmq or postgres.' },
    fault: { enum: faultKinds },
    since: moment,
  },
} as const

const storyLine = {
  title: 'LabStoryLine',
  type: 'object',
  additionalProperties: false,
  required: ['at_ms', 'fault', 'place'],
  properties: {
    at_ms: { ...count, description: 'Milliseconds since the faults began.' },
    fault: { enum: faultKinds },
    place: { type: 'string' },
  },
} as const

export const runSchema = {
  title: 'LabRun',
  type: 'object',
  additionalProperties: false,
  required: [
    ...(['id', 'state', 'verdict', 'ended_by', 'scenario', 'faults', 'traffic', 'seconds', 'seed'] as const),
    ...(['version', 'commit', 'started_by', 'created_at', 'began_at', 'ended_at'] as const),
    ...(['counts', 'invariants', 'broken_now', 'story', 'evidence'] as const),
  ],
  properties: {
    id: uuidSchema,
    state: { enum: ['preparing', 'running', 'settling', 'ended'] },
    verdict: {
      enum: ['green', 'red', 'unproven', 'none', null],
      description:
        'unproven: nothing moved, so nothing could break; none: the run ended before it could be judged. Null: it goes on.',
    },
    ended_by: { enum: ['time', 'stop', 'red', 'failure', 'bank', null] },
    scenario: { enum: [...scenarioNames, null] },
    faults: { type: 'array', items: faultSchema },
    traffic: trafficSchema,
    seconds: { type: 'integer', minimum: 1, maximum: SECONDS_MAX },
    seed: seedSchema,
    version: { type: 'string' },
    commit: { type: ['string', 'null'], description: 'Null if the bank runs outside a Git repository.' },
    started_by: uuidSchema,
    created_at: moment,
    began_at: { ...momentOrNull, description: 'When traffic and faults began.' },
    ended_at: momentOrNull,
    counts,
    invariants: { type: 'array', items: invariant },
    broken_now: { type: 'array', items: brokenSpot },
    story: { type: 'array', items: storyLine, description: 'The faults that were made, at most 500.' },
    evidence: { type: 'array', items: { type: 'string' } },
  },
} as const

const summaryFields = [
  ...(['id', 'state', 'verdict', 'ended_by', 'scenario', 'traffic', 'seconds', 'seed'] as const),
  ...(['created_at', 'began_at', 'ended_at'] as const),
] as const

type RunProperties = (typeof runSchema)['properties']
type SummaryField = (typeof summaryFields)[number]

/** A run in a list. */
export const runSummarySchema = {
  title: 'LabRunSummary',
  type: 'object',
  additionalProperties: false,
  required: summaryFields,
  properties: Object.fromEntries(
    summaryFields.map((name) => [name, runSchema.properties[name]]),
  ) as unknown as Pick<RunProperties, SummaryField>,
} as const

/** Returns what a list shows of a run. */
export const summaryOf = (run: LabRun): Pick<LabRun, SummaryField> =>
  Object.fromEntries(summaryFields.map((name) => [name, run[name]])) as unknown as Pick<LabRun, SummaryField>

export type LabRun = Infer<typeof runSchema>
export type LabInvariantId = (typeof invariantIds)[number]
