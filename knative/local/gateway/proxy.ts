import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { requestHeaders } from '../../../functions/host/http/hop-by-hop.ts'
import { passOn, streams, type Outcome } from '../../../functions/host/http/pass-on.ts'
import type { FunctionProcess } from '../processes/process.ts'

export interface ForwardOptions {
  headers: OutgoingHttpHeaders
  /** From sending to the end of the response. */
  timeoutMs: number
  bodyBytesMax: number
}

/** Passes one request on to a process, which learns what to tell of its start. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: FunctionProcess,
  options: ForwardOptions,
): Promise<Outcome> {
  const sentAt = performance.now()
  const outcome = await passOn(request, response, {
    host: '127.0.0.1',
    port: to.port,
    agent: to.agent,
    path: request.url ?? '/',
    ...options,
    onAnswer(answer, headers) {
      const timing = to.responseBegins(sentAt, answer.headers['server-timing'] as string | undefined)
      if (timing !== undefined) headers['server-timing'] = timing
      if (streams(answer)) to.streams.add(response)
    },
  })
  to.streams.delete(response)
  return outcome
}

/**
 * The headers that a function gets: the caller's, and who the caller was (RFC 7239, and the X-Forwarded-
 * headers).
 * @param trusted whether the caller is one of ours: what it says of an earlier hop is kept; anybody else's is
 *   replaced, as it could be invented
 */
export function forwardedHeaders(request: IncomingMessage, trusted: boolean): OutgoingHttpHeaders {
  const headers = requestHeaders(request.headers)
  const address = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
  const host = request.headers.host ?? ''
  const node = address.includes(':') ? `"[${address}]"` : address
  const hop = `for=${node};host="${host.replace(/["\\]/g, '')}";proto=http`
  const earlier = (name: string) => (trusted ? (request.headers[name] as string | undefined) : undefined)
  const append = (before: string | undefined, value: string) => (before ? `${before}, ${value}` : value)
  headers['x-forwarded-for'] = append(earlier('x-forwarded-for'), address)
  headers['x-forwarded-proto'] = earlier('x-forwarded-proto') ?? 'http'
  headers['x-forwarded-host'] = earlier('x-forwarded-host') ?? host
  headers.forwarded = append(earlier('forwarded'), hop)
  return headers
}
