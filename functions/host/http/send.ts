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
}

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

  const send = ({ url, method, headers, body, timeoutMs }: OutgoingRequest): Promise<IncomingAnswer> =>
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
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      request.end(body)
    })

  return Object.assign(send, {
    pipeline: (url: string) => createPipeline(url, addressOf(new URL(url))),
  })
}
