import https from 'node:https'
import type { EventMessage } from '../message.ts'
import { eventRequest } from '../http-binding.ts'
import { Upstream } from '../upstream.ts'
import { readEvent } from './event.ts'
import { isRetried } from './delivery.ts'
import {
  DETAIL_BYTES_MAX,
  HttpAttempt,
  isReply,
  overHttps,
  type AttemptUnderWay,
  type EventRequest,
  type SubscriberAnswer,
  type Take,
} from './post.ts'

/** Where an event is sent: the URL to connect to, and the Host header if it names another host. If this
 * process hosts the destination itself, `take` hands the request over without a connection. */
export interface Destination {
  url: string
  host?: string
  take?: Take
}

/** How one attempt ended. `detail` is the start of the destination's answer, or the error of the
 * connection. */
export type DeliveryOutcome =
  | { kind: 'accepted'; status: number; reply?: EventMessage }
  /** Another attempt may succeed, unless `isFinal`. Status -1 means no answer. */
  | { kind: 'failed'; status: number; detail: Buffer; isFinal: boolean }

const TIMER_MS_MAX = 2 ** 31 - 1
/** A connection that is idle for this long is closed. Servers of node:http close theirs after five
 * seconds. */
const IDLE_MS = 4_000

/** Sends a request to the server of one URL. */
interface Target {
  path: string
  post: (request: EventRequest) => AttemptUnderWay
}

/** Sends events. Connections stay open between deliveries. */
export class EventSender {
  /** Connections by origin. There are no more origins than Triggers and their sinks. */
  readonly #upstreams = new Map<string, Upstream>()
  readonly #agent = new https.Agent({ keepAlive: true, timeout: IDLE_MS })
  /** Targets by URL. */
  readonly #targets = new Map<string, Target>()
  readonly #underWay = new Set<AttemptUnderWay>()
  #isClosed = false

  /** Makes one attempt, in binary mode if headers can carry the event, else in structured mode.
   * `traceparent` is that of the attempt, if it is traced; otherwise the event's own goes on. Never
   * rejects. */
  async send(
    event: EventMessage,
    to: Destination,
    timeoutMs: number,
    traceparent?: string,
  ): Promise<DeliveryOutcome> {
    try {
      const target = this.#targetOf(to.url)
      const request = requestOf(event, to, target.path)
      if (traceparent) request.headers.traceparent = traceparent
      const begin = (): AttemptUnderWay => to.take?.(request) ?? target.post(request)
      return outcomeOf(await this.#answerTo(begin, timeoutMs))
    } catch (error) {
      return { kind: 'failed', status: -1, detail: Buffer.from(describe(error)), isFinal: false }
    }
  }

  async #answerTo(begin: () => AttemptUnderWay, timeoutMs: number): Promise<SubscriberAnswer> {
    for (;;) {
      const attempt = begin()
      const tooSlow = (): void => attempt.abort(new Error(`no answer within ${timeoutMs} ms`))
      const timer = setTimeout(tooSlow, Math.min(timeoutMs, TIMER_MS_MAX))
      this.#underWay.add(attempt)
      try {
        return await attempt.answer
      } catch (error) {
        if (this.#isClosed || !attempt.metIdleEnd?.()) throw error
      } finally {
        clearTimeout(timer)
        this.#underWay.delete(attempt)
      }
    }
  }

  /** Aborts the attempts that are under way. */
  close(): void {
    this.#isClosed = true
    for (const attempt of this.#underWay) attempt.abort(new Error('the Broker is stopping'))
    for (const upstream of this.#upstreams.values()) upstream.destroy()
    this.#agent.destroy()
  }

  #targetOf(url: string): Target {
    let target = this.#targets.get(url)
    if (!target) this.#targets.set(url, (target = this.#newTarget(new URL(url))))
    return target
  }

  #newTarget({ protocol, host, hostname, port, pathname, search }: URL): Target {
    const path = pathname + search
    const name = hostname.replace(/^\[|\]$/g, '')
    if (protocol === 'https:')
      return { path, post: (request) => overHttps({ agent: this.#agent, host: name, port }, request) }
    let upstream = this.#upstreams.get(host)
    if (!upstream) {
      upstream = new Upstream({ host: name, port: Number(port || 80), idleMs: IDLE_MS })
      this.#upstreams.set(host, upstream)
    }
    const to = upstream
    return {
      path,
      post: (request) => new HttpAttempt(to, { ...request, headers: { host, ...request.headers } }),
    }
  }
}

function requestOf(event: EventMessage, { host }: Destination, path: string): EventRequest {
  const { headers, body } = eventRequest(event)
  headers['content-length'] = String(body.length)
  if (host) headers.host = host
  headers.prefer = 'reply'
  return { path, headers, body }
}

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
