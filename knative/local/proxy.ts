import { request, type IncomingMessage } from 'node:http'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { endToEnd } from '../host/hop-by-hop.ts'
import type { FunctionProcess } from './process.ts'

/** How a request that was given to a process ended. In the last four nothing has been answered yet. */
export type Outcome =
  | { kind: 'answered' }
  | { kind: 'client-gone' }
  /** The response had begun and broke off, and so did the answer to the client. */
  | { kind: 'broken-off' }
  /** No connection: the function hasn't seen the request, so it may go to another process. */
  | { kind: 'unsent'; reason: string }
  /** The function may or may not have done it. */
  | { kind: 'lost'; reason: string }
  | { kind: 'timed-out' }
  | { kind: 'too-large' }

export interface ForwardOptions {
  headers: OutgoingHttpHeaders
  /** From sending to the end of the response. */
  timeoutMs: number
  maxBodyBytes: number
}

/**
 * Passes one request on to a process, and its response back, both as streams. The body isn't touched before there is a
 * connection, so a request that came out `unsent` can be given to another process.
 */
export function forward(
  req: IncomingMessage,
  res: ServerResponse,
  to: FunctionProcess,
  { headers, timeoutMs, maxBodyBytes }: ForwardOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const sentAt = performance.now()
    let connected = false
    let settled = false
    let response: IncomingMessage | undefined
    const upstream = request({
      host: '127.0.0.1',
      port: to.port,
      agent: to.agent,
      method: req.method,
      path: req.url,
      headers,
    })
    const timer = setTimeout(() => settle({ kind: 'timed-out' }), timeoutMs)
    const onClientGone = () => settle({ kind: 'client-gone' })
    res.once('close', onClientGone)
    upstream.once('socket', (socket: Socket) => whenConnected(socket, send))
    upstream.once('response', (begun) => {
      response = begun
      const timing = to.responseBegins(sentAt, begun.headers['server-timing'] as string | undefined)
      answer(begun, timing)
    })
    upstream.on('error', (error) => {
      const reason = error.message
      // Letting go of the request is an error to it as well.
      if (settled) return
      if (res.headersSent) breakOff()
      else settle(connected ? { kind: 'lost', reason } : { kind: 'unsent', reason })
    })

    function send(): void {
      connected = true
      if (!hasBody(req)) return void upstream.end()
      if (req.headers['content-length'] === undefined)
        limitBody(req, maxBodyBytes, () => settle({ kind: 'too-large' }))
      req.pipe(upstream)
    }

    function answer(begun: IncomingMessage, timing: string | undefined): void {
      const streams = begun.headers['content-type']?.startsWith('text/event-stream') === true
      const headers = endToEnd(begun.headers)
      if (timing !== undefined) headers['server-timing'] = timing
      res.writeHead(begun.statusCode ?? 502, headers)
      // Elsewhere headers and body leave in one packet; the first event may be minutes away.
      if (streams) {
        res.flushHeaders()
        to.streams.add(res)
      }
      begun.pipe(res)
      begun.once('close', () => {
        to.streams.delete(res)
        if (begun.complete) settle({ kind: 'answered' })
        else if (!settled) breakOff()
      })
    }

    function breakOff(): void {
      settle({ kind: 'broken-off' })
      res.destroy()
    }

    function settle(outcome: Outcome): void {
      settled = true
      clearTimeout(timer)
      res.off('close', onClientGone)
      req.unpipe(upstream)
      // One that is over keeps its connection for the next.
      if (!upstream.writableFinished || !response?.complete) upstream.destroy()
      resolve(outcome)
    }
  })
}

function whenConnected(socket: Socket, then: () => void): void {
  if (socket.connecting) socket.once('connect', then)
  else then()
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function limitBody(req: IncomingMessage, maxBytes: number, tooLarge: () => void): void {
  let bytes = 0
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) tooLarge()
  })
}

/**
 * The headers that a function gets: the caller's, and who the caller was (RFC 7239, and the X-Forwarded- headers).
 * @param trusted whether the caller is one of ours: what it says of an earlier hop is kept; anybody else's is replaced,
 *   as it could be invented
 */
export function forwardedHeaders(req: IncomingMessage, trusted: boolean): OutgoingHttpHeaders {
  const headers = endToEnd(req.headers)
  if (hasBody(req) && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked'
  const address = (req.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
  const host = req.headers.host ?? ''
  const node = address.includes(':') ? `"[${address}]"` : address
  const hop = `for=${node};host="${host.replace(/["\\]/g, '')}";proto=http`
  const earlier = (name: string) => (trusted ? (req.headers[name] as string | undefined) : undefined)
  const append = (before: string | undefined, value: string) => (before ? `${before}, ${value}` : value)
  headers['x-forwarded-for'] = append(earlier('x-forwarded-for'), address)
  headers['x-forwarded-proto'] = earlier('x-forwarded-proto') ?? 'http'
  headers['x-forwarded-host'] = earlier('x-forwarded-host') ?? host
  headers.forwarded = append(earlier('forwarded'), hop)
  return headers
}
