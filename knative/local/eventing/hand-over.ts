import { IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import {
  ANSWER_BYTES_MAX,
  type EventRequest,
  type SubscriberAnswer,
  type Take,
} from '../../../eventing/broker/post.ts'
import type { Service } from '../serving/service.ts'

/**
 * Returns the function that hands events to a Service of this process. The Service holds, times and repeats
 * them like every other request. What is left out is a connection from this process to itself: two writes,
 * two reads, and a client and a server of HTTP for each event.
 */
export const handOver =
  (service: Pick<Service, 'handle'>): Take =>
  (request) => {
    const response = new InnerResponse()
    service.handle(incomingOf(request), response as unknown as ServerResponse, true)
    return { answer: response.answer, abort: (reason) => void response.destroy(reason) }
  }

/** What a request without a connection says of its connection. */
const NO_SOCKET = { remoteAddress: '127.0.0.1', readable: false, destroyed: true } as unknown as Socket

function incomingOf({ path, headers, body }: EventRequest): IncomingMessage {
  const incoming = new IncomingMessage(NO_SOCKET)
  Object.assign(incoming, { method: 'POST', url: path, headers, complete: true })
  incoming.push(body)
  incoming.push(null)
  return incoming
}

/** An answer that stays in this process. It has what a Service uses of a ServerResponse. */
class InnerResponse extends Writable {
  readonly answer: Promise<SubscriberAnswer>
  statusCode = 200
  headersSent = false
  readonly #headers: OutgoingHttpHeaders = {}
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #resolve!: (answer: SubscriberAnswer) => void
  #reject!: (error: Error) => void

  constructor() {
    super()
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.on('error', () => undefined) // `answer` reports it.
  }

  setHeader(name: string, value: string): this {
    this.#headers[name] = value
    return this
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    this.statusCode = status
    this.headersSent = true
    Object.assign(this.#headers, headers)
    return this
  }

  flushHeaders(): void {
    this.headersSent = true
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#bytes += chunk.length
    if (this.#bytes > ANSWER_BYTES_MAX) return done(new Error(`the answer is over ${ANSWER_BYTES_MAX} bytes`))
    this.#chunks.push(chunk)
    done()
  }

  override _final(done: () => void): void {
    const headers = this.#headers as SubscriberAnswer['headers']
    this.#resolve({ status: this.statusCode, headers, body: Buffer.concat(this.#chunks) })
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // After the answer this changes nothing.
    this.#reject(error ?? new Error('the answer broke off'))
    done(error)
  }
}
