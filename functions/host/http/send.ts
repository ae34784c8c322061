import http from 'node:http'
import { createPipeline, type Address, type Pipeline } from './pipeline.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'

export interface OutgoingRequest {
  url: string
  method: string
  headers?: Record<string, string>
  body?: string | Buffer | undefined
  /** From the call to the last byte of the answer. */
  timeoutMs: number
}

export interface IncomingAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

export interface Send {
  (request: OutgoingRequest): Promise<IncomingAnswer>
  /** For many requests to one URL whose answers have no content, and that may arrive twice. */
  pipeline(url: string): Pipeline
}

const ANSWER_BYTES_MAX = 10 * 1024 * 1024

/** HTTP client over kept-alive connections. With a gateway every request goes there and is routed by its Host
 * header: it stands in for the cluster's DNS and gateway where there is no cluster.
 * Rejects with UnavailableError where no whole answer came in time. */
export function createSend(gateway: Address | undefined, maxSockets = 32): Send {
  // Knative's proxies close idle connections after longer than this, so a reused one is rarely a closed one.
  const agent = new http.Agent({ keepAlive: true, maxSockets, timeout: 20_000 })
  const addressOf = ({ hostname, port }: URL): Address =>
    gateway ?? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }

  const send = ({ url, method, headers, body, timeoutMs }: OutgoingRequest): Promise<IncomingAnswer> =>
    new Promise((resolve, reject) => {
      const target = new URL(url)
      const fail = (cause: unknown): void =>
        // The message may be told to a caller, who has nothing to do with hosts; the cause is for the log.
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
        const late = new Error(`not within ${timeoutMs} ms`)
        // A request that waits for a connection says nothing of its end before it has got one.
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
