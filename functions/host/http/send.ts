import http from 'node:http'
import { createPipeline, type Address, type Pipeline } from './pipeline.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'

export interface OutgoingRequest {
  url: string
  method: string
  headers?: Record<string, string>
  body?: string | Buffer | undefined
  /** Milliseconds from the call to the last byte of the answer. */
  timeoutMs: number
  /** Takes the bytes of a good answer (2xx) as they come, in place of `body`, which is then empty. What it
   * throws ends the request, and is what the request rejects with. */
  take?: TakeBytes | undefined
}

export type TakeBytes = (part: Buffer) => Promise<void>

export interface IncomingAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

export interface Send {
  (request: OutgoingRequest): Promise<IncomingAnswer>
  /** For many requests to one URL that may arrive twice and whose answers have no content. */
  pipeline(url: string): Pipeline
}

const ANSWER_BYTES_MAX = 10 * 1024 * 1024

/** Creates an HTTP client that keeps connections alive. With a `gateway`, every request goes there and is
 * routed by its Host header; it replaces the cluster's DNS and gateway if there is no cluster. Requests
 * reject with UnavailableError if no complete answer came in time. */
export function createSend(gateway: Address | undefined, maxSockets = 32): Send {
  // Milliseconds. Knative's proxies keep idle connections longer than this, so a reused one is rarely closed.
  const agent = new http.Agent({ keepAlive: true, maxSockets, timeout: 20_000 })
  const addressOf = ({ hostname, port }: URL): Address =>
    gateway ?? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }

  const send = ({ url, method, headers, body, timeoutMs, take }: OutgoingRequest): Promise<IncomingAnswer> =>
    new Promise((resolve, reject) => {
      const target = new URL(url)
      const fail = (cause: unknown): void =>
        // The message may reach a caller, so it names no host; the cause is for the log.
        reject(
          new UnavailableError('another part of the bank did not answer', {
            cause: new Error(`no answer from ${target.host}: ${String(cause)}`, { cause }),
          }),
        )
      const request = http.request({
        agent,
        method,
        ...addressOf(target),
        path: target.pathname + target.search,
        headers: { host: target.host, ...headers, 'content-length': body ? Buffer.byteLength(body) : 0 },
      })
      const timer = setTimeout(() => {
        const late = new Error(`no complete answer within ${timeoutMs} ms`)
        // A request that waits for a free connection reports no error until it has one, so fail here.
        fail(late)
        request.destroy(late)
      }, timeoutMs)
      request.on('close', () => clearTimeout(timer))
      request.on('error', fail)
      request.on('response', (response) => {
        const { statusCode: status = 0 } = response
        if (take && status >= 200 && status < 300)
          return void takeAll(response, take, fail).then(
            () => resolve({ status, headers: response.headers, body: Buffer.alloc(0) }),
            reject,
          )
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => resolve({ status, headers: response.headers, body: Buffer.concat(chunks) }))
      })
      request.end(body)
    })

  return Object.assign(send, {
    pipeline: (url: string) => createPipeline(url, addressOf(new URL(url))),
  })
}

/** Gives an answer away as fast as it is taken. Resolves at its end. Rejects with what `take` throws; calls
 * `fail`, and stays pending, if the answer breaks off. */
async function takeAll(
  response: http.IncomingMessage,
  take: TakeBytes,
  fail: (cause: unknown) => void,
): Promise<void> {
  const parts = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const next = (): Promise<IteratorResult<Buffer>> =>
    parts.next().catch((error: unknown) => {
      fail(error)
      return new Promise<never>(() => undefined)
    })
  try {
    for (let part = await next(); !part.done; part = await next()) await take(part.value)
  } finally {
    response.destroy()
  }
}
