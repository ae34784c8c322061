import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { AnswerWatch, type StreamLimits } from './answer-watch.ts'
import { breakOff } from './break-off.ts'
import { hasBody, isArriving } from './framing.ts'
import { endToEnd } from './hop-by-hop.ts'
import { makeLast } from './last-answer.ts'
import { requestHead } from '../../../eventing/request-head.ts'
import type { Outcome } from './outcome.ts'
import {
  SMALL_BYTES,
  type ExchangeSink,
  type Upstream,
  type UpstreamConnection,
} from '../../../eventing/upstream.ts'

/** The beginning of an answer. */
export interface AnswerHead {
  status: number
  headers: IncomingHttpHeaders
}

/** An answer that has come completely, before anything of it has gone out. */
export interface WholeAnswer {
  status: number
  headers: OutgoingHttpHeaders
  body: Buffer
}

export interface PassOnOptions {
  to: Upstream
  path: string
  /** From requestHeaders(), and more. None may frame the body: passOn() does that. */
  headers: OutgoingHttpHeaders
  /** The whole body, if it has been read already. */
  body?: Buffer | undefined
  /** Milliseconds from now to the end of the answer; with `streamLimits`, to its beginning. */
  timeoutMs: number
  /** Limits from the beginning of an answer on, if it may come piece by piece. */
  streamLimits?: StreamLimits | undefined
  /** Milliseconds for the client to send a streamed body, whatever the function does meanwhile. */
  bodyTimeoutMs?: number
  bodyBytesMax: number
  /** Called when the answer begins, with the headers for the client, which it may change. */
  onAnswer?: (answer: AnswerHead, headers: OutgoingHttpHeaders) => void
  /** Called after onAnswer() with an answer that came completely, which it may change, also later. */
  onWhole?: ((whole: WholeAnswer) => Promise<void> | undefined) | undefined
}

const BODY_MS_MAX = 20_000
/** Longest wait for a connection, or for a free place among those that there may be. */
const CONNECT_MS_MAX = 10_000

/** Passes one request on and its answer back. Never rejects: the outcome says how it ended.
 *
 * The body is framed anew. It is not touched before there is a connection, so a request that ended as
 * `unsent` can be passed on again. What has arrived leaves in one write; what has not is passed on piece by
 * piece. If the answer ends before the body does, the connection to the function is closed at once, and the
 * client's connection after the client has had time to read. */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  options: PassOnOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve({ kind: 'client-gone' })
    const head = requestHead(request.method ?? 'GET', options.path, options.headers)
    if (head === undefined) return resolve({ kind: 'unsendable' })
    new Passage(request, response, head, options, resolve).begin()
  })
}

/** One request on its way, and its answer on the way back. */
class Passage implements ExchangeSink {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #options: PassOnOptions
  /** The head of the request, without the headers that frame the body and the empty line. */
  readonly #head: string
  readonly #resolve: (outcome: Outcome) => void
  readonly #timers: NodeJS.Timeout[] = []
  #watch: AnswerWatch | undefined
  #connection: UpstreamConnection | undefined
  #isSettled = false
  /** The whole answer is here, and the connection serves others. */
  #isReceived = false
  /** The answer, from when it has begun until its head goes out. */
  #answer: AnswerHead | undefined
  /** What has come of the body since the last write. */
  #parts: Buffer[] = []

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: string,
    options: PassOnOptions,
    resolve: (outcome: Outcome) => void,
  ) {
    this.#request = request
    this.#response = response
    this.#head = head
    this.#options = options
    this.#resolve = resolve
  }

  begin(): void {
    const { to, timeoutMs } = this.#options
    this.#response.once('close', this.#onClientGone)
    this.#after(timeoutMs, { kind: 'timed-out' })
    to.begin(this)
    if (!this.#connection) this.#after(CONNECT_MS_MAX, { kind: 'unsent', reason: 'no connection in time' })
  }

  connected(connection: UpstreamConnection): void {
    this.#connection = connection
    const { body } = this.#options
    const request = this.#request
    if (body) this.#sendWhole(body)
    else if (!hasBody(request)) this.#sendWhole(MAY_LACK_LENGTH.has(request.method!) ? undefined : NOTHING)
    else if (!isArriving(request)) this.#sendWhole(readAll(request))
    // A body that came with its head is reported a moment after it.
    else if (request.headers['content-length'] !== undefined) process.nextTick(() => this.#sendRest())
    // The end of the last chunk is reported later than its content, even if both came together.
    else setImmediate(() => this.#sendRest())
  }

  #sendRest(): void {
    if (this.#isSettled) return
    if (isArriving(this.#request)) this.#stream()
    else this.#sendWhole(readAll(this.#request))
  }

  #sendWhole(body: Buffer | undefined): void {
    if (body && body.length > this.#options.bodyBytesMax) return this.#settle({ kind: 'too-large' })
    const length = body ? `content-length: ${body.length}\r\n` : ''
    this.#connection!.send(`${this.#head}${length}\r\n`, body, this.#request.method === 'HEAD')
  }

  #stream(): void {
    const request = this.#request
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    // If both are there, which our server refuses, the transfer coding counts (RFC 9112, section 6.3).
    const isChunked = length === undefined || coding !== undefined
    const framing = isChunked ? 'transfer-encoding: chunked' : `content-length: ${Number(length)}`
    const late = this.#after(this.#options.bodyTimeoutMs ?? BODY_MS_MAX, { kind: 'too-slow' })
    const send = (...pieces: (Buffer | string)[]): boolean =>
      this.#connection!.write(pieces, () => request.resume())
    send(`${this.#head}${framing}\r\n\r\n`)
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      if (this.#isSettled) return
      bytes += chunk.length
      if (bytes > this.#options.bodyBytesMax) return this.#settle({ kind: 'too-large' })
      const isTaken = isChunked ? send(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n') : send(chunk)
      if (!isTaken) request.pause()
    })
    request.once('end', () => {
      clearTimeout(late)
      if (this.#isSettled) return
      if (isChunked) send('0\r\n\r\n')
      this.#connection!.finish()
    })
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#answer = { status, headers }
  }

  body(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#watch?.heard()
  }

  more(): void {
    if (this.#isSettled || this.#isEnded()) return
    // The head of an answer waits for its body, so that both leave in one packet. But the first event of a
    // stream may be minutes away.
    const isDue = this.#parts.length > 0 || (this.#answer && streams(this.#answer))
    if (!isDue) return
    if (this.#answer) this.#begin(this.#answer)
    if (this.#parts.length === 0) return this.#response.flushHeaders()
    if (this.#response.write(joined(this.#parts.splice(0)))) return
    this.#connection!.pause()
    this.#watch?.pause()
    this.#response.once('drain', () => {
      this.#connection!.resume()
      this.#watch?.resume()
    })
  }

  /** Begins an answer of which more is to come. */
  #begin(answer: AnswerHead): void {
    this.#writeHead(answer.status, this.#headersOf(answer))
    const { streamLimits } = this.#options
    if (!streamLimits) return
    this.#clearTimers()
    this.#watch = new AnswerWatch(streamLimits, () => this.#breakOff({ kind: 'timed-out' }))
  }

  end(): void {
    if (this.#isSettled || this.#isEnded()) return
    const rest = joined(this.#parts)
    if (!this.#answer) return this.#finish(rest)
    const whole = { status: this.#answer.status, headers: this.#headersOf(this.#answer), body: rest }
    const changing = this.#options.onWhole?.(whole)
    if (!changing) return this.#send(whole)
    this.#isReceived = true
    changing.then(
      () => this.#send(whole),
      () => this.#send(whole),
    )
  }

  #send({ status, headers, body }: WholeAnswer): void {
    if (this.#isSettled || this.#isEnded()) return
    // It came in chunks, but all at once.
    if (body.length > 0) headers['content-length'] = body.length
    this.#writeHead(status, headers)
    this.#finish(body)
  }

  #finish(rest: Buffer): void {
    // As latin1 text each byte stays as it is. Unlike a Buffer, text leaves in one write with the headers.
    if (rest.length <= SMALL_BYTES) this.#response.end(rest.toString('latin1'), 'latin1')
    else this.#response.end(rest)
    this.#settle({ kind: 'answered' })
  }

  failed(reason: string): void {
    if (this.#isSettled) return
    if (this.#response.headersSent) this.#breakOff({ kind: 'broken-off' })
    else this.#settle(this.#connection ? { kind: 'lost', reason } : { kind: 'unsent', reason })
  }

  #breakOff(outcome: Outcome): void {
    this.#settle(outcome)
    breakOff(this.#response)
  }

  /** Says whether somebody else has ended the answer: the server, because the rest of the request is no HTTP,
   * or whoever ends event streams. If the client reads slowly, its connection is open for a while yet, but
   * nothing may be written any more. */
  #isEnded(): boolean {
    if (!this.#response.writableEnded) return false
    this.#settle({ kind: 'client-gone' })
    return true
  }

  #headersOf(answer: AnswerHead): OutgoingHttpHeaders {
    const passed = endToEnd(answer.headers)
    this.#options.onAnswer?.(answer, passed)
    return passed
  }

  #writeHead(status: number, headers: OutgoingHttpHeaders): void {
    // The answer may end before the rest of the body has come.
    if (isArriving(this.#request)) makeLast(this.#response)
    this.#response.writeHead(status, headers)
    this.#answer = undefined
  }

  readonly #onClientGone = (): void => this.#settle({ kind: 'client-gone' })

  #after(ms: number, outcome: Outcome): NodeJS.Timeout {
    const timer = setTimeout(() => {
      if (outcome.kind !== 'unsent' || !this.#connection) this.#settle(outcome)
    }, ms)
    this.#timers.push(timer)
    return timer
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #settle(outcome: Outcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#clearTimers()
    this.#watch?.end()
    this.#response.off('close', this.#onClientGone)
    // After an answer the connection decides by itself whether it stays open for the next request.
    if (!this.#connection) this.#options.to.cancel(this)
    else if (outcome.kind !== 'answered' && !this.#isReceived) this.#connection.destroy()
    this.#resolve(outcome)
  }
}

const NOTHING = Buffer.alloc(0)
/** With any other method, a request says its length even if it has no body (RFC 9110, section 8.6). */
const MAY_LACK_LENGTH = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

const joined = (parts: Buffer[]): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))

const readAll = (request: IncomingMessage): Buffer => (request.read() as Buffer | null) ?? Buffer.alloc(0)

/** Says whether an answer is Server-Sent Events, which have no end of their own. */
export const streams = ({ headers }: Pick<AnswerHead, 'headers'>): boolean =>
  headers['content-type']?.startsWith('text/event-stream') === true
