import { EventEmitter } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
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
    const incoming = new InnerRequest(request) as unknown as IncomingMessage
    service.handle(incoming, response as unknown as ServerResponse, true)
    return { answer: response.answer, abort: (reason) => void response.destroy(reason) }
  }

/** What a request without a connection says of its connection. */
const NO_SOCKET = { remoteAddress: '127.0.0.1' }

/** A request that is here as a whole. It has what a Service uses of an IncomingMessage, which would be a
 * stream to set up and to read. */
class InnerRequest {
  readonly method = 'POST'
  readonly url: string
  readonly headers: EventRequest['headers']
  readonly complete = true
  readonly socket = NO_SOCKET
  readonly #body: Buffer

  constructor({ path, headers, body }: EventRequest) {
    this.url = path
    this.headers = headers
    this.#body = body
  }

  read(): Buffer {
    return this.#body
  }

  resume(): this {
    return this
  }
}

/** An answer that stays in this process. It has what a Service uses of a ServerResponse. */
class InnerResponse extends EventEmitter {
  readonly answer: Promise<SubscriberAnswer>
  headersSent = false
  writableEnded = false
  readonly writableLength = 0
  readonly socket = null
  destroyed = false
  #status = 200
  #headers: OutgoingHttpHeaders = {}
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
  }

  setHeader(name: string, value: string): this {
    this.#headers[name] = value
    return this
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    this.#status = status
    this.headersSent = true
    this.#headers = { ...this.#headers, ...headers }
    return this
  }

  flushHeaders(): void {
    this.headersSent = true
  }

  write(chunk: Buffer | string, encoding?: BufferEncoding): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > ANSWER_BYTES_MAX)
      this.destroy(new Error(`the answer is over ${ANSWER_BYTES_MAX} bytes`))
    else this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
    return true
  }

  end(rest: Buffer | string = '', encoding?: BufferEncoding): void {
    if (rest.length > 0) this.write(rest, encoding)
    this.writableEnded = true
    const headers = this.#headers as SubscriberAnswer['headers']
    this.#resolve({ status: this.#status, headers, body: Buffer.concat(this.#chunks) })
    this.#close()
  }

  /** After the answer this changes nothing. */
  destroy(error = new Error('the answer broke off')): this {
    this.#reject(error)
    this.#close()
    return this
  }

  #close(): void {
    if (this.destroyed) return
    this.destroyed = true
    // Whoever ends an answer takes a close that they hear meanwhile for the client's.
    process.nextTick(() => this.emit('close'))
  }
}
