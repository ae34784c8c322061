import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { StreamLimits } from '../../../functions/host/http/answer-watch.ts'
import { requestHeaders } from '../../../functions/host/http/hop-by-hop.ts'
import type { Outcome } from '../../../functions/host/http/outcome.ts'
import { passOn, streams } from '../../../functions/host/http/pass-on.ts'
import type { FunctionProcess } from '../processes/process.ts'

export interface ForwardOptions {
  headers: OutgoingHttpHeaders
  /** From sending the request to the end of the response; with `streamLimits`, to its beginning. */
  timeoutMs: number
  streamLimits?: StreamLimits | undefined
  bodyBytesMax: number
}

/**
 * Passes a request on to a process. Tells the process when its response begins, so that it can time its
 * start.
 */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: FunctionProcess,
  options: ForwardOptions,
): Promise<Outcome> {
  const sentAt = performance.now()
  const outcome = await passOn(request, response, {
    to: to.upstream,
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
 * Returns the headers for a function: those of the caller, and headers that say who the caller is (RFC 7239,
 * and the X-Forwarded- headers).
 * @param trusted whether the caller is one of the bank's functions. Then its headers about earlier hops are
 *   kept. Anybody else could invent them, so theirs are replaced.
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
