import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../../monitoring/log.ts'
import { InvalidEventError, type EventMessage } from '../message.ts'
import { readEvent } from './event.ts'
import type { BrokerMetrics } from './metrics.ts'
import { QueueUnavailableError } from './queue.ts'

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface IngressOptions {
  /** Resolves when the event is stored durably. */
  publish: (event: EventMessage) => Promise<void>
  log: Log
  metrics: BrokerMetrics
}

const EVENT_BYTES_MAX = 1024 * 1024
/** Events that wait for the queue are held in memory; beyond this much the sender has to come again. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

// Else Node answers in chunks, and a chunk that says there is none is a write of its own.
const NO_BODY = { 'content-length': '0' }

interface Answer {
  status: number
  headers?: Record<string, string>
  /** Body of a refusal (RFC 9457); 202 has none. */
  problem?: { type: string; title: string; status: number; detail: string }
}

/**
 * The Broker's ingress: takes an event by POST on exactly `/`, in binary or structured mode, and answers 202
 * once it is stored for every Trigger that wants it (also if none does). 400 is no valid CloudEvent, 413 over 1 MiB,
 * 404 and 405 as usual, 500 could not be stored, 503 the queue is away. A repeat is a second event.
 */
export function createIngress({ publish, log, metrics }: IngressOptions): RequestHandler {
  let waitingBytes = 0

  async function receive(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'POST')
      return refusal(405, 'method-not-allowed', 'events are sent by POST', { allow: 'POST' })
    if (request.url !== '/') return refusal(404, 'not-found', 'events are sent to /')
    const body = await read(request)
    if (!body) return refusal(413, 'payload-too-large', `at most ${EVENT_BYTES_MAX} bytes are taken`)
    if (waitingBytes + body.length > WAITING_BYTES_MAX) return unavailable('too many events are waiting')
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
      .catch((error: unknown) => answerTo(error, log))
      .then((answer) => {
        metrics.received(answer.status)
        if (!response.destroyed) send(response, answer)
      })
      .catch((error: unknown) => log.error('the ingress could not answer', { reason: String(error) }))
  }
}

function answerTo(error: unknown, log: Log): Answer {
  const reason = (error as Error).message
  if (error instanceof InvalidEventError) return refusal(400, 'invalid-event', reason)
  if (error instanceof AbortedError) return refusal(400, 'incomplete-request', reason)
  log.error('an event could not be stored', { reason })
  if (error instanceof QueueUnavailableError) return unavailable('the queue is away')
  return refusal(500, 'not-stored', 'the event could not be stored')
}

const TITLES = {
  'method-not-allowed': 'Method not allowed',
  'not-found': 'Not found',
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
): Answer {
  const type = `https://microbank.dev/problems/${name}`
  return { status, ...(headers && { headers }), problem: { type, title: TITLES[name], status, detail } }
}

const unavailable = (detail: string): Answer => refusal(503, 'unavailable', detail, { 'retry-after': '1' })

class AbortedError extends Error {}

/** The body, or undefined as soon as it is too large; the rest of it is read and thrown away. */
function read(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > EVENT_BYTES_MAX) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > EVENT_BYTES_MAX) return resolve(undefined)
      chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
    request.on('close', () => {
      if (!request.complete) reject(new AbortedError('the sender closed the connection'))
    })
    request.on('error', reject)
  })
}

function send(response: ServerResponse, { status, headers, problem }: Answer): void {
  if (!problem) return void response.writeHead(status, headers).end()
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify(problem))
}
