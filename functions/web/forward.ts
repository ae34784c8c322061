import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { answer } from '../host/http/answer.ts'
import { BODY_BYTES_MAX, readBytes } from '../host/http/body.ts'
import { clientAddress } from '../host/http/client-address.ts'
import type { Config } from '../host/config.ts'
import { hasBody } from '../host/http/framing.ts'
import { requestHeaders } from '../host/http/hop-by-hop.ts'
import { passOn, refusalOf } from '../host/http/pass-on.ts'
import { withStartTiming } from '../host/start/start-timing.ts'

/** Milliseconds. Longer than a function may take to start (20 s on a laptop, waiting for a free place
 * included) and to work (30 s), so that the function's own refusal arrives. Shorter than the platform gives
 * the front door (see its Service). */
export const FUNCTION_MS_MAX = 55_000
/** Bytes; more than any function accepts. */
const BODY_BYTES_PASSED_MAX = 1024 * 1024
const ATTEMPTS_MAX = 3

/** Sends a request on to a function, and its answer back. `body` is given if it has been read already.
 * `traceparent` is the front door's own, so that its span is the parent of the function's. */
export type Forward = (
  request: IncomingMessage,
  response: ServerResponse,
  to: { service: string; path: string; body: Buffer | undefined; traceparent: string },
) => Promise<void>

/** Creates the forwarder. It sends a request again if the function can't have seen it, because its connection
 * was closed, or if it is a GET that may have been lost. It never repeats anything else that may have reached
 * the function: that could move money twice. Rejects with a ProblemError if the body can't be accepted. */
export function createForward(config: Pick<Config, 'LOCAL_GATEWAY' | 'SERVICE_DOMAIN'>): Forward {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, timeout: 60_000 })
  // A small body is read before it is passed on, so it holds no connection while it trickles in. Bodies that
  // are larger, or don't say their length, use connections of their own, and can take them only from each
  // other.
  const streams = new http.Agent({ keepAlive: true, maxSockets: 64, timeout: 60_000 })

  return async (request, response, { service, path, body, traceparent }) => {
    const host = `${service}.${config.SERVICE_DOMAIN}`
    const isSmall = Number(request.headers['content-length'] ?? Infinity) <= BODY_BYTES_MAX
    const whole = body ?? (hasBody(request) && isSmall ? await readBytes(request) : undefined)
    const headers = requestHeaders(request.headers)
    const options = {
      ...(config.LOCAL_GATEWAY ?? { host, port: 80 }),
      agent: whole || !hasBody(request) ? agent : streams,
      path,
      headers: { ...headers, host, 'x-forwarded-for': clientAddress(request), traceparent },
      body: whole,
      bodyBytesMax: BODY_BYTES_PASSED_MAX,
      onAnswer: passTiming,
    }
    const deadline = performance.now() + FUNCTION_MS_MAX
    for (let attempt = 1; ; attempt++) {
      const startedAt = performance.now()
      const outcome = await passOn(request, response, { ...options, timeoutMs: deadline - startedAt })
      if (outcome.kind === 'answered' || outcome.kind === 'client-gone' || outcome.kind === 'broken-off')
        return
      const isSafe = request.method === 'GET' || request.method === 'HEAD'
      const isRepeatable = outcome.kind === 'unsent' || (outcome.kind === 'lost' && isSafe)
      // After a long vain wait for a connection, the next wait would be vain too.
      const wasQuick = performance.now() - startedAt < 5_000
      if (isRepeatable && wasQuick && attempt < ATTEMPTS_MAX) continue
      if (response.headersSent) return void response.destroy()
      return answer(response, refusalOf(outcome, service))
    }
  }
}

function passTiming(incoming: IncomingMessage, headers: http.OutgoingHttpHeaders): void {
  const timing = withStartTiming(incoming.headers['server-timing'])
  if (timing !== undefined) headers['server-timing'] = timing
}
