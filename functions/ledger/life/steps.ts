import type { Caller } from '../../host/route-request.ts'
import { orNull } from '../../host/schema.ts'
import type { TraceHop } from '../../host/traces/hops.ts'
import { eventOf } from '../transactions/transaction.ts'
import { publishedOf } from './event.ts'
import type { LifeRow } from './facts.ts'
import type { KnownOfEvent, ToldDeadLetter } from './told.ts'

const states = ['done', 'waiting', 'failed', 'unknown'] as const

export const stepSchema = {
  title: 'LifeStep',
  type: 'object',
  additionalProperties: false,
  required: ['step', 'state', 'at', 'detail'],
  properties: {
    step: {
      enum: ['asked', 'booked', 'published', 'told', 'sent'],
      description: '`told` is in the user’s list, `sent` is by email, text message or push message.',
    },
    state: { enum: states },
    at: orNull({ type: 'string', format: 'date-time' }),
    detail: { type: ['string', 'null'], description: 'The refusal, or the channel.' },
  },
} as const

export interface LifeStep {
  step: (typeof stepSchema)['properties']['step']['enum'][number]
  state: (typeof states)[number]
  at: string | null
  detail: string | null
}

/** Days for which every bank keeps its notifications, however it is configured (docs/notifications.md). After
 * that nobody can say whether there was one. */
const NOTIFICATIONS_KEPT_DAYS_MIN = 100

const mayBeForgotten = ({ created_at: at }: LifeRow): boolean =>
  Date.now() - at.getTime() > NOTIFICATIONS_KEPT_DAYS_MIN * 86_400_000

/** Whether the caller can learn of a notification: its payer is notified of what was booked. Of what was
 * refused, they know from the answer. */
const isTold = (row: LifeRow, { role, userId }: Caller): boolean =>
  eventOf(row) !== null && row.status !== 'rejected' && (role === 'operator' || userId === row.user_id)

const openLetters = (told: KnownOfEvent): ToldDeadLetter[] =>
  told.dead_letters.filter(
    ({ status, destination }) => status === 'stored' && /\/\/notify\b/.test(destination),
  )

/** Returns the steps of a transaction that the caller may see, in plain order. `told` is undefined if nobody
 * knows. Only hops say when its event was published. */
export function stepsOf(
  row: LifeRow,
  caller: Caller,
  told: KnownOfEvent | undefined,
  hops: readonly TraceHop[] = [],
): LifeStep[] {
  const step = (
    name: LifeStep['step'],
    state: LifeStep['state'],
    at: Date | string | null = null,
    detail?: string | null,
  ) => ({
    ...{ step: name, state, detail: detail ?? null },
    at: at instanceof Date ? at.toISOString() : at,
  })
  const booked = { pending: 'waiting', rejected: 'failed', completed: 'done', reversed: 'done' } as const
  const steps: LifeStep[] = [
    step('asked', 'done', row.asked_at),
    step('booked', booked[row.status], row.status === 'pending' ? null : row.created_at, row.refusal),
  ]
  const eventId = eventOf(row)
  if (eventId === null) return steps
  const own = hops.filter((hop) => hop.eventId === eventId)
  const { state, at } = publishedOf(row, own)
  steps.push(step('published', state, at))
  if (!isTold(row, caller)) return steps
  if (!told) return [...steps, step('told', 'unknown')]
  const [first] = told.notifications
  if (first) steps.push(step('told', 'done', first.timestamp))
  else if (openLetters(told).length > 0) steps.push(step('told', 'failed'))
  else steps.push(step('told', mayBeForgotten(row) && state === 'done' ? 'unknown' : 'waiting'))
  for (const { messages } of told.notifications)
    for (const { channel, status, attempts } of messages) {
      const state = ({ sent: 'done', failed: 'failed' } as const)[status] ?? 'waiting'
      steps.push(step('sent', state, attempts.at(-1)?.finished_at, channel))
    }
  return steps
}

/** Whether nothing more will happen by itself. */
export const isOver = (steps: readonly LifeStep[]): boolean => steps.every(({ state }) => state !== 'waiting')
