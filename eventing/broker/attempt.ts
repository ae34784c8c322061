import http from 'node:http'
import https from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { EventMessage } from '../message.ts'
import { claimsToBeEvent, eventRequest } from '../http-binding.ts'
import { readEvent } from './event.ts'
import { isRetried } from './delivery.ts'

/** Where an event is sent: the URL to connect to, and the Host header if it names another host. If this
 * process hosts the destination itself, `take` hands the request over without a connection. */
export interface Destination {
  url: string
  host?: string
  take?: Take
}

/** Takes a POST. `answer` rejects if none comes; abort() makes it reject. */
export type Take = (request: EventRequest) => {
  answer: Promise<SubscriberAnswer>
  abort: (reason: Error) => void
}

export interface EventRequest {
  path: string
  /** Names are in lower case. */
  headers: Record<string, string>
  body: Buffer
}

/** The whole answer of a destination. Names of headers are in lower case. */
export interface SubscriberAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** How one attempt ended. `detail` is the start of the destination's answer, or the error of the
 * connection. */
export type DeliveryOutcome =
  | { kind: 'accepted'; status: number; reply?: EventMessage }
  /** Another attempt may succeed, unless `isFinal`. Status -1 means no answer. */
  | { kind: 'failed'; status: number; detail: Buffer; isFinal: boolean }

/** Limit for an answer, in bytes: a reply is an event, so the limit is the same. */
export const ANSWER_BYTES_MAX = 1024 * 1024
/** Limit for `detail`, in bytes. As base64 it has 1024 characters, the most that knativeerrordata may
 * hold. */
const DETAIL_BYTES_MAX = 768
const TIMER_MS_MAX = 2 ** 31 - 1

interface SubscriberAddress {
  scheme: typeof http | typeof https
  agent: http.Agent
  host: string
  port: string
  path: string
}

/** An attempt that is under way. */
interface AttemptUnderWay {
  answer: Promise<SubscriberAnswer>
  abort: (reason: Error) => void
  /** Whether the attempt failed because the destination closed an idle connection at this moment. That is no
   * failure of the destination: a fresh connection may work. */
  metIdleEnd?: (error: unknown) => boolean
}

/** Sends events. Connections stay open between deliveries. */
export class EventSender {
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  }
  /** Addresses by URL. There are no more of them than Triggers and their sinks. */
  readonly #targets = new Map<string, SubscriberAddress>()
  readonly #underWay = new Set<AttemptUnderWay>()
  #isClosed = false

  /** Makes one attempt, in binary mode if headers can carry the event, else in structured mode. Never
   * rejects. */
  async send(event: EventMessage, to: Destination, timeoutMs: number): Promise<DeliveryOutcome> {
    const target = this.#targetOf(to.url)
    const request = requestOf(event, to, target.path)
    for (;;) {
      let attempt: AttemptUnderWay | undefined
      let timer: NodeJS.Timeout | undefined
      try {
        const begun = (attempt = to.take?.(request) ?? post(target, request))
        const tooSlow = (): void => begun.abort(new Error(`no answer within ${timeoutMs} ms`))
        timer = setTimeout(tooSlow, Math.min(timeoutMs, TIMER_MS_MAX))
        this.#underWay.add(begun)
        return outcomeOf(await begun.answer)
      } catch (error) {
        if (!this.#isClosed && attempt?.metIdleEnd?.(error)) continue
        return { kind: 'failed', status: -1, detail: Buffer.from(describe(error)), isFinal: false }
      } finally {
        clearTimeout(timer)
        if (attempt) this.#underWay.delete(attempt)
      }
    }
  }

  /** Aborts the attempts that are under way. */
  close(): void {
    this.#isClosed = true
    for (const { abort } of this.#underWay) abort(new Error('the Broker is stopping'))
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  #targetOf(url: string): SubscriberAddress {
    let target = this.#targets.get(url)
    if (!target) {
      const { protocol, hostname, port, pathname, search } = new URL(url)
      const [scheme, agent] =
        protocol === 'https:' ? [https, this.#agents['https:']] : [http, this.#agents['http:']]
      target = { scheme, agent, host: hostname.replace(/^\[|\]$/g, ''), port, path: pathname + search }
      this.#targets.set(url, target)
    }
    return target
  }
}

function requestOf(event: EventMessage, { host }: Destination, path: string): EventRequest {
  const { headers, body } = eventRequest(event)
  headers['content-length'] = String(body.length)
  if (host) headers.host = host
  headers.prefer = 'reply'
  return { path, headers, body }
}

/** Sends a request over HTTP. */
function post(
  { scheme, ...target }: SubscriberAddress,
  { path, headers, body }: EventRequest,
): AttemptUnderWay {
  const request = scheme.request({ ...target, path, method: 'POST', headers })
  return {
    answer: answerTo(request, body),
    abort: (reason) => void request.destroy(reason),
    metIdleEnd: (error) => request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET',
  }
}

function answerTo(request: http.ClientRequest, data: Buffer): Promise<SubscriberAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response: IncomingMessage) => {
      const { statusCode: status = -1, headers } = response
      const chunks: Buffer[] = []
      let bytes = 0
      const bytesMax = isReply({ status, headers }) ? ANSWER_BYTES_MAX + 1 : DETAIL_BYTES_MAX
      response.on('data', (chunk: Buffer) => {
        if (bytes < bytesMax) chunks.push(chunk)
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX)
          request.destroy(new Error(`the answer is over ${ANSWER_BYTES_MAX} bytes`))
      })
      response.on('end', () => resolve({ status, headers, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    // As latin1 text each byte stays as it is. Unlike a Buffer, text leaves in one write with the headers.
    request.end(data.toString('latin1'), 'latin1')
  })
}

const isReply = ({ status, headers }: Pick<SubscriberAnswer, 'status' | 'headers'>): boolean =>
  status >= 200 && status < 300 && claimsToBeEvent(headers)

function outcomeOf(answer: SubscriberAnswer): DeliveryOutcome {
  const { status, headers, body } = answer
  if (status < 200 || status >= 300) {
    return { kind: 'failed', status, detail: body.subarray(0, DETAIL_BYTES_MAX), isFinal: !isRetried(status) }
  }
  if (!isReply(answer)) return { kind: 'accepted', status }
  try {
    return { kind: 'accepted', status, reply: readEvent(headers, body) }
  } catch (error) {
    const reason = `the reply is not a valid CloudEvent: ${(error as Error).message}`
    return {
      kind: 'failed',
      status,
      detail: Buffer.from(reason).subarray(0, DETAIL_BYTES_MAX),
      isFinal: true,
    }
  }
}

const describe = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return message || code || 'the connection failed'
}
