import http from 'node:http'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { EventMessage } from '../message.ts'
import { claimsToBeEvent, eventRequest } from '../http-binding.ts'
import { readEvent } from './event.ts'
import { isRetried } from './delivery.ts'

/** Where an event is sent: the URL to connect to, and the Host header if it names another host. */
export interface Destination {
  url: string
  host?: string
}

/** How one attempt ended. `detail` is the start of the destination's answer, or the error of the
 * connection. */
export type DeliveryOutcome =
  | { kind: 'accepted'; status: number; reply?: EventMessage }
  /** Another attempt may succeed, unless `isFinal`. Status -1 means no answer. */
  | { kind: 'failed'; status: number; detail: Buffer; isFinal: boolean }

/** Limit for a reply, in bytes: the same as for an event. */
const REPLY_BYTES_MAX = 1024 * 1024
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

/** Sends events. Connections stay open between deliveries. */
export class EventSender {
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  }
  /** Addresses by URL. There are no more of them than Triggers and their sinks. */
  readonly #targets = new Map<string, SubscriberAddress>()
  readonly #underWay = new Set<http.ClientRequest>()
  #isClosed = false

  /** Makes one attempt, in binary mode if headers can carry the event, else in structured mode. Never
   * rejects. */
  async send(event: EventMessage, to: Destination, timeoutMs: number): Promise<DeliveryOutcome> {
    try {
      const { response, body } = await this.#post(event, to, timeoutMs)
      return outcomeOf(response, body)
    } catch (error) {
      return { kind: 'failed', status: -1, detail: Buffer.from(describe(error)), isFinal: false }
    }
  }

  /** Aborts the attempts that are under way. */
  close(): void {
    this.#isClosed = true
    for (const request of this.#underWay) request.destroy(new Error('the Broker is stopping'))
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

  async #post(event: EventMessage, to: Destination, timeoutMs: number): Promise<SubscriberAnswer> {
    const { headers: own, body } = eventRequest(event)
    const headers = {
      ...own,
      'content-length': body.length,
      ...(to.host && { host: to.host }),
      prefer: 'reply',
    }
    for (;;) {
      const { scheme, ...target } = this.#targetOf(to.url)
      const request = scheme.request({ ...target, method: 'POST', headers })
      const tooSlow = new Error(`no answer within ${timeoutMs} ms`)
      const timer = setTimeout(() => request.destroy(tooSlow), Math.min(timeoutMs, TIMER_MS_MAX))
      this.#underWay.add(request)
      try {
        return await answerTo(request, body)
      } catch (error) {
        // The destination closed an idle connection at this moment. That is no failure of the destination: a
        // fresh connection may work.
        const wasIdle = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
        if (!wasIdle || this.#isClosed) throw error
      } finally {
        clearTimeout(timer)
        this.#underWay.delete(request)
      }
    }
  }
}

interface SubscriberAnswer {
  response: IncomingMessage
  body: Buffer
}

function answerTo(request: http.ClientRequest, data: Buffer): Promise<SubscriberAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const bytesMax = isReply(response) ? REPLY_BYTES_MAX + 1 : DETAIL_BYTES_MAX
      response.on('data', (chunk: Buffer) => {
        if (bytes < bytesMax) chunks.push(chunk)
        bytes += chunk.length
        if (bytes > REPLY_BYTES_MAX) request.destroy(new Error(`the answer is over ${REPLY_BYTES_MAX} bytes`))
      })
      response.on('end', () => resolve({ response, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    // As latin1 text each byte stays as it is. Unlike a Buffer, text leaves in one write with the headers.
    request.end(data.toString('latin1'), 'latin1')
  })
}

const isReply = ({ statusCode = 0, headers }: IncomingMessage): boolean =>
  statusCode >= 200 && statusCode < 300 && claimsToBeEvent(headers)

function outcomeOf(response: IncomingMessage, body: Buffer): DeliveryOutcome {
  const status = response.statusCode ?? -1
  if (status < 200 || status >= 300) {
    return { kind: 'failed', status, detail: body.subarray(0, DETAIL_BYTES_MAX), isFinal: !isRetried(status) }
  }
  if (!isReply(response)) return { kind: 'accepted', status }
  try {
    return { kind: 'accepted', status, reply: readEvent(response.headers, body) }
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
