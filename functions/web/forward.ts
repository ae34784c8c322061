import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { StreamKind } from '../host/catalogue-entry.ts'
import { addAlso } from '../host/http/also-answer.ts'
import { answer } from '../host/http/answer.ts'
import { PAUSED_MS_MAX } from '../host/http/answer-watch.ts'
import { BODY_BYTES_MAX, readBytes } from '../host/http/body.ts'
import { CLIENT_HEADER, clientAddress } from '../host/http/client-address.ts'
import type { Config } from '../host/config.ts'
import { hasBody } from '../host/http/framing.ts'
import { requestHeaders } from '../host/http/hop-by-hop.ts'
import { refusalOf } from '../host/http/outcome.ts'
import { passOn, type AnswerHead, type WholeAnswer } from '../host/http/pass-on.ts'
import { refine } from './refine.ts'
import { Upstream } from '../../eventing/upstream.ts'
import { withStartTiming } from '../host/start/start-timing.ts'

/** Milliseconds. Longer than a function may take to start (20 s on a laptop, waiting for a free place
 * included) and to work (30 s), so that the function's own refusal arrives. Shorter than the platform gives
 * the front door (see its Service). */
export const FUNCTION_MS_MAX = 55_000
/** Bytes; more than any function accepts, unless it reads the body while it comes. */
const BODY_BYTES_PASSED_MAX = 1024 * 1024
const ATTEMPTS_MAX = 3
/** Limits of an answer that comes piece by piece. The total is longer than such a function has (570 s), and
 * shorter than the front door has (600 s). The silence is longer than the function may take for a part. */
export const STREAM_LIMITS = { totalMs: 590_000, silentMs: 40_000, pausedMs: PAUSED_MS_MAX }

/** Sends a request on to a function, and its answer back. */
export type Forward = (request: IncomingMessage, response: ServerResponse, to: Forwarding) => Promise<void>

interface Forwarding {
  service: string
  /** Path and query, as the function declares them. */
  path: string
  /** The body, if it has been read already. */
  body: Buffer | undefined
  /** Set if the answer may come piece by piece. */
  streams: StreamKind | undefined
  streamedBodyBytesMax: number | undefined
  /** The front door's own, so that its span is the parent of the function's. */
  traceparent: string
  /** Value of CLIENT_HEADER. */
  client: string
}

/** Creates the forwarder. It sends a request again if the function can't have seen it, because its connection
 * was closed, or if it is a GET that may have been lost. It never repeats anything else that may have reached
 * the function: that could move money twice. Rejects with a ProblemError if the body can't be accepted. */
export function createForward(config: Pick<Config, 'LOCAL_GATEWAY' | 'SERVICE_DOMAIN'>): Forward {
  const upstreams = createUpstreams(config)

  return async (request, response, to) => {
    const { service, path, body, streams, traceparent, client } = to
    const host = `${service}.${config.SERVICE_DOMAIN}`
    const length = request.headers['content-length'] ?? to.streamedBodyBytesMax ?? Infinity
    const isSmall = Number(length) <= BODY_BYTES_MAX
    const whole = body ?? (hasBody(request) && isSmall ? await readBytes(request) : undefined)
    const headers = requestHeaders(request.headers)
    // The front door has made a header of it (session/cookie-session.ts). Functions never see cookies.
    delete headers.cookie
    const kind = streams ?? (whole || !hasBody(request) ? 'whole' : 'streamed')
    const options = {
      to: upstreams(host, kind),
      streamLimits: streams ? STREAM_LIMITS : undefined,
      path,
      headers: {
        ...headers,
        host,
        'x-forwarded-for': clientAddress(request),
        [CLIENT_HEADER]: client,
        traceparent,
      },
      body: whole,
      bodyBytesMax: to.streamedBodyBytesMax ?? BODY_BYTES_PASSED_MAX,
      onAnswer: (head: AnswerHead, passed: OutgoingHttpHeaders) => dress(response, head, passed),
      onWhole: (whole: WholeAnswer) => refine(request, whole),
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

/** Connections for each kind of body. A small body is read before it is passed on, so it holds no
 * connection while it trickles in. Bodies that are larger, or don't say their length, use connections of
 * their own, and can take them only from each other. So do answers that come piece by piece, to clients
 * that may be slow. How many of those one caller can have is limited, too (stream-places.ts). */
const CONNECTIONS_MAX = { whole: 256, streamed: 64, document: 256, events: 2_000 }
/** Knative's proxies, and our gateway, keep an unused connection longer. */
const IDLE_MS = 60_000

/** Returns a look-up of the connections to a host. With a local gateway all go there. */
function createUpstreams({ LOCAL_GATEWAY }: Pick<Config, 'LOCAL_GATEWAY'>) {
  const open = new Map<string, Upstream>()
  return (host: string, kind: keyof typeof CONNECTIONS_MAX): Upstream => {
    const to = LOCAL_GATEWAY ?? { host, port: 80 }
    const key = `${kind} ${to.host}`
    let upstream = open.get(key)
    if (!upstream) {
      upstream = new Upstream({ ...to, connectionsMax: CONNECTIONS_MAX[kind], idleMs: IDLE_MS })
      open.set(key, upstream)
    }
    return upstream
  }
}

/** Adds to a function's answer what the front door's answers have. The function's own headers win. */
function dress(response: ServerResponse, { headers: theirs }: AnswerHead, passed: OutgoingHttpHeaders): void {
  const timing = withStartTiming(theirs['server-timing'])
  if (timing !== undefined) passed['server-timing'] = timing
  addAlso(response, passed)
}
