import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { answer } from '../../knative/host/answer.ts'
import { clientAddress } from '../../knative/host/client-address.ts'
import type { Config } from '../../knative/host/config.ts'
import { endToEnd } from '../../knative/host/hop-by-hop.ts'
import { problem, problems } from '../../knative/host/problems.ts'
import { withStartTiming } from '../../knative/host/start-timing.ts'

const TIMEOUT_MS = 60_000

/** Sends a request on to a function and its answer back, both as streams. `body` is given where it has been
 * read already; `traceparent` is the front door's own, so that the function's span is below it. */
export type Forward = (
  request: IncomingMessage,
  response: ServerResponse,
  to: { service: string; path: string; body: Buffer | undefined; traceparent: string },
) => Promise<void>

/** Requests that find a connection closed under them go out once more, for the function cannot have seen them
 * (or, for GET, may see them twice). Whatever may have reached it is never repeated: that could move money
 * twice. */
export function createForward(config: Pick<Config, 'LOCAL_GATEWAY' | 'SERVICE_DOMAIN'>): Forward {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, timeout: 60_000 })

  return async (request, response, { service, path, body, traceparent }) => {
    const host = `${service}.${config.SERVICE_DOMAIN}`
    const gateway = config.LOCAL_GATEWAY ?? { host, port: 80 }
    const options: http.RequestOptions = {
      ...gateway,
      agent,
      path,
      method: request.method,
      headers: { ...endToEnd(request.headers), host, 'x-forwarded-for': clientAddress(request), traceparent },
    }
    for (let attempt = 1; ; attempt++) {
      const outcome = await exchange(request, response, options, body)
      if (outcome.kind === 'answered') return
      const repeatable = outcome.kind === 'unsent' || (outcome.kind === 'lost' && request.method === 'GET')
      if (repeatable && attempt < 3 && !response.destroyed) continue
      return answer(response, refusal(outcome.kind, service))
    }
  }
}

type Outcome = { kind: 'answered' | 'unsent' | 'lost' | 'timed-out' }

function refusal(kind: 'unsent' | 'lost' | 'timed-out', service: string) {
  const headers = { 'retry-after': '1' }
  switch (kind) {
    case 'unsent':
      return problem(problems.unavailable, `${service} can't be reached. Try again.`, { headers })
    case 'lost':
      return problem(
        problems.badGateway,
        `${service} broke off. Whether it did its work is unknown; repeat with the same Idempotency-Key.`,
      )
    case 'timed-out':
      return problem(
        problems.gatewayTimeout,
        `${service} did not answer in time; repeat with the same Idempotency-Key.`,
      )
  }
}

function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  options: http.RequestOptions,
  body: Buffer | undefined,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const upstream = http.request(options)
    let sent = false
    const timer = setTimeout(() => end('timed-out'), TIMEOUT_MS)
    const end = (kind: Outcome['kind']): void => {
      clearTimeout(timer)
      resolve({ kind })
      if (kind !== 'answered') upstream.destroy()
    }
    // Nothing of the body is taken before there is a connection, so an unsent request can go out again.
    upstream.on('socket', (socket) => {
      const send = (): void => {
        sent = true
        if (body) upstream.end(body)
        else request.pipe(upstream)
      }
      if (socket.connecting) socket.once('connect', send)
      else send()
    })
    upstream.on('error', () => {
      if (response.headersSent) response.destroy()
      end(response.headersSent ? 'answered' : sent ? 'lost' : 'unsent')
    })
    upstream.on('response', (incoming) => {
      clearTimeout(timer)
      const headers = endToEnd(incoming.headers)
      const timing = withStartTiming(headers['server-timing'] as string | undefined)
      if (timing !== undefined) headers['server-timing'] = timing
      response.writeHead(incoming.statusCode ?? 502, headers)
      incoming.pipe(response)
      incoming.on('close', () => {
        if (!incoming.complete) response.destroy()
        end('answered')
      })
    })
    response.once('close', () => {
      if (!response.writableFinished) upstream.destroy()
      end('answered')
    })
  })
}
