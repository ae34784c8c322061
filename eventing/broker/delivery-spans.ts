import { formatTraceparent, isSampledTrace } from '../../monitoring/trace.ts'
import type { Tracer } from '../../monitoring/tracer.ts'
import type { EventMessage } from '../message.ts'
import type { DeliveryOutcome } from './attempt.ts'

/** An attempt to deliver an event, as its trace shows it. */
export interface DeliverySpan {
  /** W3C traceparent for the subscriber; undefined if the event's trace is not sampled. */
  traceparent: string | undefined
  /** Ends the span. `nextMs` is the time until the next attempt; undefined if there is none. */
  end(outcome: DeliveryOutcome, nextMs?: number): void
}

const NONE: DeliverySpan = { traceparent: undefined, end: () => undefined }

/** Returns what starts a span for each attempt. The span is a child of whoever stated the event. Its name and
 * attributes follow OpenTelemetry's conventions for messaging. */
export const deliverySpans =
  (tracer: Tracer, system: string) =>
  ({ attributes: event }: EventMessage, route: string, attempt: number): DeliverySpan => {
    const parent = event.traceparent
    if (!tracer.isOn || parent === undefined || !isSampledTrace(parent)) return NONE
    const span = tracer.start(parent)
    const startedAt = performance.now()
    return {
      traceparent: formatTraceparent(span),
      end({ kind, status }, nextMs) {
        const attributes = {
          'messaging.system': system,
          'messaging.operation.name': 'deliver',
          'messaging.operation.type': 'process',
          'messaging.destination.subscription.name': route,
          'cloudevents.event_type': String(event.type),
          'cloudevents.event_id': String(event.id),
          'http.response.status_code': status,
          'microbank.attempt': attempt,
          ...(nextMs !== undefined && { 'microbank.next_attempt_ms': Math.round(nextMs) }),
        }
        const error = kind === 'accepted' ? undefined : status < 0 ? 'no answer' : String(status)
        tracer.end(span, { name: `deliver ${route}`, kind: 'client', startedAt, attributes, error })
      },
    }
  }
