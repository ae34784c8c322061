import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { hasBody, isArriving } from './framing.ts'
import { endToEnd } from './hop-by-hop.ts'
import { makeLast } from './last-answer.ts'
import { problem, problems } from '../problems.ts'
import type { Reply } from '../reply.ts'

/** How passing on a request ended. For every kind from `unsent` on, nothing has been answered yet, unless the
 * answer had begun. */
export type Outcome =
  | { kind: 'answered' }
  | { kind: 'client-gone' }
  /** The answer had begun and broke off; so did the answer to the client. */
  | { kind: 'broken-off' }
  | Failure

export type Failure =
  /** No connection: the function hasn't seen the request, so it may be sent again. */
  | { kind: 'unsent'; reason: string }
  /** The function may or may not have done the work. */
  | { kind: 'lost'; reason: string }
  | { kind: 'timed-out' }
  /** The client did not send its body in time. */
  | { kind: 'too-slow' }
  | { kind: 'too-large' }
  /** The request holds something that can't be sent, such as a path with a control character. */
  | { kind: 'unsendable' }

export interface PassOnOptions {
  host: string
  port: number
  agent: Agent
  path: string
  /** From requestHeaders(), and more. None may frame the body: passOn() does that. */
  headers: OutgoingHttpHeaders
  /** The whole body, if it has been read already. */
  body?: Buffer | undefined
  /** Milliseconds from now to the end of the answer. */
  timeoutMs: number
  /** Milliseconds for the client to send a streamed body, whatever the function does meanwhile. */
  bodyTimeoutMs?: number
  bodyBytesMax: number
  /** Called when the answer begins, with the headers for the client, which it may change. */
  onAnswer?: (answer: IncomingMessage, headers: OutgoingHttpHeaders) => void
}

const BODY_MS_MAX = 20_000
/** Longest wait for a connection, or for a free place in the agent. */
const CONNECT_MS_MAX = 10_000

/** Passes one request on and its answer back, both as streams. Never rejects: the outcome says how it ended.
 *
 * The body is framed anew. It is not touched before there is a connection, so a request that ended as
 * `unsent` can be passed on again. If the answer ends before the body does, the connection to the function is
 * closed at once, and the client's connection after the client has had time to read. */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { headers, body, timeoutMs, bodyTimeoutMs = BODY_MS_MAX, bodyBytesMax, onAnswer, ...to }: PassOnOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve({ kind: 'client-gone' })
    let isConnected = false
    let isSettled = false
    let incoming: IncomingMessage | undefined
    let upstream: ReturnType<typeof httpRequest>
    try {
      upstream = httpRequest({ ...to, method: request.method, headers })
    } catch {
      return resolve({ kind: 'unsendable' })
    }
    const waiting = setTimeout(
      () => settle({ kind: 'unsent', reason: 'no connection in time' }),
      CONNECT_MS_MAX,
    )
    const timers = [waiting, setTimeout(() => settle({ kind: 'timed-out' }), timeoutMs)]
    const onClientGone = (): void => settle({ kind: 'client-gone' })
    response.once('close', onClientGone)
    upstream.once('socket', (socket: Socket) => {
      if (socket.connecting) socket.once('connect', send)
      else send()
    })
    upstream.once('response', begin)
    upstream.on('error', ({ message: reason }) => {
      // Destroying the request emits an error too.
      if (isSettled) return
      if (response.headersSent) breakOff()
      else settle(isConnected ? { kind: 'lost', reason } : { kind: 'unsent', reason })
    })

    function send(): void {
      isConnected = true
      clearTimeout(waiting)
      if (body) sendWhole(body)
      else if (!hasBody(request)) upstream.end()
      else if (!isArriving(request)) sendWhole((request.read() as Buffer | null) ?? Buffer.alloc(0))
      // The end of the last chunk is reported later than its content, even if both came together.
      else if (request.headers['content-length'] === undefined) setImmediate(sendRest)
      else stream()
    }

    function sendRest(): void {
      if (isSettled) return
      if (isArriving(request)) stream()
      else sendWhole((request.read() as Buffer | null) ?? Buffer.alloc(0))
    }

    function sendWhole(whole: Buffer): void {
      if (whole.length > bodyBytesMax) return settle({ kind: 'too-large' })
      upstream.setHeader('content-length', whole.length)
      upstream.end(whole)
    }

    function stream(): void {
      const length = request.headers['content-length']
      // If both are there, which our server refuses, the transfer coding counts (RFC 9112, section 6.3).
      if (length === undefined || request.headers['transfer-encoding'] !== undefined) {
        upstream.setHeader('transfer-encoding', 'chunked')
        limitBody(request, bodyBytesMax, () => settle({ kind: 'too-large' }))
      } else upstream.setHeader('content-length', Number(length))
      const late = setTimeout(() => settle({ kind: 'too-slow' }), bodyTimeoutMs)
      timers.push(late)
      request.once('end', () => clearTimeout(late))
      request.pipe(upstream)
    }

    function begin(begun: IncomingMessage): void {
      incoming = begun
      const passed = endToEnd(begun.headers)
      onAnswer?.(begun, passed)
      // The answer may end before the rest of the body has come.
      if (isArriving(request)) makeLast(response)
      response.writeHead(begun.statusCode ?? 502, passed)
      // Normally headers and body leave in one packet, but the first event of a stream may be minutes away.
      if (streams(begun)) response.flushHeaders()
      begun.pipe(response)
      begun.once('close', () => {
        if (begun.complete) settle({ kind: 'answered' })
        else if (!isSettled) breakOff()
      })
    }

    function breakOff(): void {
      settle({ kind: 'broken-off' })
      response.destroy()
    }

    function settle(outcome: Outcome): void {
      if (isSettled) return
      isSettled = true
      for (const timer of timers) clearTimeout(timer)
      response.off('close', onClientGone)
      request.unpipe(upstream)
      // A request that is complete leaves its connection open for the next.
      if (!upstream.writableFinished || !incoming?.complete) upstream.destroy()
      resolve(outcome)
    }
  })
}

/** Says whether an answer is Server-Sent Events, which have no end of their own. */
export const streams = ({ headers }: IncomingMessage): boolean =>
  headers['content-type']?.startsWith('text/event-stream') === true

/** Returns the answer for a request that got none from `service`. */
export function refusalOf(outcome: Failure, service: string): Reply {
  switch (outcome.kind) {
    case 'unsent':
      return problem(problems.unavailable, `${service} can't be reached. Try again.`, {
        headers: { 'retry-after': '1' },
      })
    case 'lost':
      return problem(
        problems.badGateway,
        `${service} broke off before it answered. It may have done the work; repeat with the same Idempotency-Key.`,
      )
    case 'timed-out':
      return problem(
        problems.gatewayTimeout,
        `${service} did not answer in time; repeat with the same Idempotency-Key.`,
      )
    case 'too-slow':
      return problem(problems.requestTimeout, 'The body did not arrive in time.')
    case 'too-large':
      return problem(problems.payloadTooLarge, 'The body is larger than any function accepts.')
    case 'unsendable':
      return problem(problems.badRequest, 'The request could not be passed on.')
  }
}

function limitBody(request: IncomingMessage, bytesMax: number, tooLarge: () => void): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) tooLarge()
  })
}
