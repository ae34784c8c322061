import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { claimsToBeEvent } from '../http-binding.ts'
import { requestHead } from '../request-head.ts'
import type { ExchangeSink, Upstream, UpstreamConnection } from '../upstream.ts'

/** One POST with an event, and its answer. */

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

/** Limit for an answer, in bytes: a reply is an event, so the limit is the same. */
export const ANSWER_BYTES_MAX = 1024 * 1024
/** Limit for `detail`, in bytes. As base64 it has 1024 characters, the most that knativeerrordata may
 * hold. */
export const DETAIL_BYTES_MAX = 768

/** Takes a POST. `answer` rejects if none comes; abort() makes it reject. */
export type Take = (request: EventRequest) => Pick<AttemptUnderWay, 'answer' | 'abort'>

/** An attempt that is under way. */
export interface AttemptUnderWay {
  answer: Promise<SubscriberAnswer>
  abort: (reason: Error) => void
  /** Whether the attempt failed because the destination closed an idle connection at this moment. That is no
   * failure of the destination: a fresh connection may work. */
  metIdleEnd?: () => boolean
}

/** Returns whether an answer says that it is a reply event. */
export const isReply = ({ status, headers }: Pick<SubscriberAnswer, 'status' | 'headers'>): boolean =>
  status >= 200 && status < 300 && claimsToBeEvent(headers)

/** An attempt over a connection that is kept open. */
export class HttpAttempt implements AttemptUnderWay, ExchangeSink {
  readonly answer: Promise<SubscriberAnswer>
  readonly #upstream: Upstream
  readonly #request: EventRequest
  readonly #gathered = new Gathered()
  #resolve!: (answer: SubscriberAnswer) => void
  #reject!: (error: Error) => void
  #isOver = false
  #isAborted = false
  #isConnected = false
  #wasIdle = false
  #hasSpoken = false

  constructor(upstream: Upstream, request: EventRequest) {
    this.#upstream = upstream
    this.#request = request
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    upstream.begin(this)
    // Only a connection that is open already is there at once.
    this.#wasIdle = this.#isConnected
  }

  connected(connection: UpstreamConnection): void {
    this.#isConnected = true
    const { path, headers, body } = this.#request
    const head = requestHead('POST', path, headers)
    if (head === undefined) return this.abort(new Error("a header of the event can't be sent"))
    connection.send(`${head}\r\n`, body, false)
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#gathered.begin(status, headers)
  }

  body(bytes: Buffer): void {
    if (!this.#gathered.add(bytes)) this.abort(tooLarge())
  }

  more(): void {
    // The answer is read as a whole.
  }

  end(): void {
    this.#isOver = true
    this.#resolve(this.#gathered.answer)
  }

  failed(reason: string, hasSpoken: boolean): void {
    this.#isOver = true
    this.#hasSpoken = hasSpoken
    this.#reject(new Error(reason))
  }

  abort(reason: Error): void {
    if (this.#isOver) return
    this.#isOver = this.#isAborted = true
    this.#reject(reason)
    this.#upstream.cancel(this)
  }

  metIdleEnd(): boolean {
    return this.#wasIdle && !this.#isAborted && !this.#hasSpoken
  }
}

/** What has come of an answer. Of an answer that is no reply, only the start is kept. */
class Gathered {
  #status = -1
  #headers: IncomingHttpHeaders = {}
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #bytesKept = 0

  get answer(): SubscriberAnswer {
    return { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) }
  }

  begin(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
    this.#bytesKept = isReply({ status, headers }) ? ANSWER_BYTES_MAX : DETAIL_BYTES_MAX
  }

  /** Returns false if the answer is too large. */
  add(chunk: Buffer): boolean {
    if (this.#bytes < this.#bytesKept) this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return this.#bytes <= ANSWER_BYTES_MAX
  }
}

const tooLarge = (): Error => new Error(`the answer is over ${ANSWER_BYTES_MAX} bytes`)

/** Sends a request over TLS. */
export function overHttps(
  to: { agent: https.Agent; host: string; port: string },
  { path, headers, body }: EventRequest,
): AttemptUnderWay {
  const request = https.request({ ...to, path, method: 'POST', headers })
  const gathered = new Gathered()
  let failure: NodeJS.ErrnoException | undefined
  const answer = new Promise<SubscriberAnswer>((resolve, reject) => {
    request.on('error', (error) => reject((failure = error)))
    request.on('response', (response) => {
      gathered.begin(response.statusCode ?? -1, response.headers)
      response.on('data', (chunk: Buffer) => {
        if (!gathered.add(chunk)) request.destroy(tooLarge())
      })
      response.on('end', () => resolve(gathered.answer))
      response.on('error', reject)
    })
    request.end(body)
  })
  return {
    answer,
    abort: (reason) => void request.destroy(reason),
    metIdleEnd: () => request.reusedSocket && failure?.code === 'ECONNRESET',
  }
}
