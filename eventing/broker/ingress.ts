import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../../monitoring/log.ts'
import { seldom } from '../../monitoring/seldom.ts'
import { BodyError, readBody } from '../http-body.ts'
import { InvalidEventError, type EventMessage } from '../message.ts'
import { PROBLEM_JSON, problemDetails, type ProblemDetails } from '../problem.ts'
import { readEvent } from './event.ts'
import type { BrokerMetrics } from './metrics.ts'
import { QueueUnavailableError } from './queue.ts'

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface IngressOptions {
  /** Stores an event. Resolves when it is durable. */
  publish: (event: EventMessage) => Promise<void>
  log: Log
  metrics: BrokerMetrics
  /** Time for the body of an event, in ms; see readBody(). */
  bodyMs?: number
}

const EVENT_BYTES_MAX = 1024 * 1024
/** Limit for events in memory that wait for the queue, in bytes. Above it, senders are told to come again. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

// Without it Node would answer in chunks, and the empty last chunk would be a write of its own.
const NO_BODY = { 'content-length': '0' }

interface IngressAnswer {
  status: number
  headers?: Record<string, string>
  /** Body of a refusal (RFC 9457). An answer 202 has none. */
  problem?: ProblemDetails
}

/**
 * Creates the Broker's ingress. It takes an event by POST on exactly `/`, in binary or structured mode, and
 * answers 202 once the event is stored for every Trigger that wants it, even if none does. A repeated request
 * is a second event.
 *
 * It answers 400 to an invalid CloudEvent, 404 to another path, 405 to another method, 408 if the body came
 * too slowly, 413 if it is over 1 MiB or came in thousands of tiny chunks, 500 if the event could not be
 * stored, and 503 if the queue is away.
 */
export function createIngress({ publish, log, metrics, bodyMs }: IngressOptions): RequestHandler {
  let waitingBytes = 0
  // While the queue is away, every event that comes fails.
  const sayNotStored = seldom(log.error)

  async function receive(request: IncomingMessage): Promise<IngressAnswer> {
    if (request.method !== 'POST')
      return refusal(405, 'method-not-allowed', 'Events are sent by POST.', { allow: 'POST' })
    if (request.url !== '/') return refusal(404, 'not-found', 'Events are sent to the path /.')
    const body = await readBody(request, { bytesMax: EVENT_BYTES_MAX, ...(bodyMs && { timeoutMs: bodyMs }) })
    if (waitingBytes + body.length > WAITING_BYTES_MAX)
      return unavailable('Too many events are waiting to be stored. Send the event again in a second.')
    waitingBytes += body.length
    try {
      await publish(readEvent(request.headers, body))
      return { status: 202, headers: NO_BODY }
    } finally {
      waitingBytes -= body.length
    }
  }

  return (request, response) => {
    receive(request)
      .catch((error: unknown) => answerTo(error, sayNotStored))
      .then((answer) => {
        metrics.received(answer.status)
        if (!response.destroyed) send(response, answer)
      })
      .catch((error: unknown) =>
        log.error('the ingress could not answer a request', { reason: String(error) }),
      )
  }
}

function answerTo(error: unknown, sayNotStored: Log['error']): IngressAnswer {
  const reason = (error as Error).message
  if (error instanceof InvalidEventError) return refusal(400, 'invalid-event', sentence(reason))
  if (error instanceof BodyError) return refusalOf(error)
  sayNotStored('an event could not be stored', { reason })
  if (error instanceof QueueUnavailableError)
    return unavailable('The queue does not answer. Send the event again in a second.')
  return refusal(500, 'not-stored', 'The event could not be stored; the log of the Broker says why.')
}

/** Returns the answer for a body that could not be read. The connection of a sender that is too slow or
 * floods is closed. */
function refusalOf({ fault, message }: BodyError): IngressAnswer {
  if (fault === 'too-large')
    return refusal(413, 'payload-too-large', `An event may have at most ${EVENT_BYTES_MAX} bytes of data.`)
  if (fault === 'too-many-chunks') return refusal(413, 'payload-too-large', message, { connection: 'close' })
  if (fault === 'too-slow') return refusal(408, 'request-timeout', message, { connection: 'close' })
  return refusal(400, 'incomplete-request', message)
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

const TITLES = {
  'method-not-allowed': 'Method not allowed',
  'not-found': 'Not found',
  'request-timeout': 'The event took too long to arrive',
  'payload-too-large': 'The event is too large',
  'invalid-event': 'This is not a valid CloudEvent',
  'incomplete-request': 'The request broke off',
  'not-stored': 'The event could not be stored',
  unavailable: 'Not available at the moment',
}

function refusal(
  status: number,
  name: keyof typeof TITLES,
  detail: string,
  headers?: Record<string, string>,
): IngressAnswer {
  const problem = problemDetails({ name, status, title: TITLES[name] }, detail)
  return { status, ...(headers && { headers }), problem }
}

const unavailable = (detail: string): IngressAnswer =>
  refusal(503, 'unavailable', detail, { 'retry-after': '1' })

function send(response: ServerResponse, { status, headers, problem }: IngressAnswer): void {
  if (!problem) return void response.writeHead(status, headers).end()
  response.writeHead(status, { 'content-type': PROBLEM_JSON, ...headers }).end(JSON.stringify(problem))
}
