import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { answer } from '../host/http/answer.ts'
import { BODY_BYTES_MAX, readBytes } from '../host/http/body.ts'
import { clientAddress } from '../host/http/client-address.ts'
import type { Config } from '../host/config.ts'
import { hasBody } from '../host/http/framing.ts'
import { requestHeaders } from '../host/http/hop-by-hop.ts'
import { passOn, refusalOf } from '../host/http/pass-on.ts'
import { withStartTiming } from '../host/start/start-timing.ts'

/** Longer than a function may take with its start (20 s on a laptop, where it has to have one) and its work
 * (30 s), so that its own refusal arrives; shorter than the platform gives the front door (see its
 * Service). */
export const FUNCTION_MS_MAX = 55_000
/** More than any function takes. */
const BODY_BYTES_PASSED_MAX = 1024 * 1024
const ATTEMPTS_MAX = 3

/** Sends a request on to a function and its answer back. `body` is given where it has been read already;
 * `traceparent` is the front door's own, so that the function's span is below it. */
export type Forward = (
  request: IncomingMessage,
  response: ServerResponse,
  to: { service: string; path: string; body: Buffer | undefined; traceparent: string },
) => Promise<void>

/** Requests that find a connection closed under them go out once more, for the function cannot have seen them
 * (or, for GET, may see them twice). Whatever may have reached it is never repeated: that could move money
 * twice. Rejects with a ProblemError where the body can't be taken. */
export function createForward(config: Pick<Config, 'LOCAL_GATEWAY' | 'SERVICE_DOMAIN'>): Forward {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, timeout: 60_000 })
  // A body that is read before it is passed on holds no connection while it trickles. Those that are too
  // large for this, or don't say how large they are, have connections of their own, which they can only take
  // from each other.
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
      // Where a connection was waited for in vain the next one would be, too.
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
