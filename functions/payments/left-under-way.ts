import type { Tools } from '../host/tools.ts'

interface Left {
  id: string
  status: string
  traceparent: string
  /** What kept it from going on. */
  reason: unknown
}

/** Says in the log that something stays as it is until a sweep comes back to it. */
export function sayLeftUnderWay(
  { log }: Pick<Tools, 'log'>,
  what: 'payment' | 'transfer',
  { id, status, traceparent, reason }: Left,
): void {
  const { message, cause } = reason as Error
  log.warn(`${what} left under way`, {
    ...{ [`${what}_id`]: id, status, trace_id: traceparent.slice(3, 35), error: message },
    ...(cause instanceof Error && { cause: cause.message }),
  })
}
