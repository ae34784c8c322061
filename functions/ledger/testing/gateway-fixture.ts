import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedEvent {
  headers: http.IncomingHttpHeaders
  data: Record<string, unknown>
}

/** Stands in for what a function calls: the Broker’s ingress and the function `users`. */
export interface TestGateway {
  address: string
  /** Events that the Broker stored, in order of arrival. */
  events: ReceivedEvent[]
  /** Status of the Broker's answers from now on. With 0 it accepts requests and never answers. */
  brokerStatus: number
  /** Users that `users` knows. It checks only that the caller sent a token. */
  users: Set<string>
  close(): Promise<void>
}

/** Starts a server in the place of the cluster's gateway. It answers for both by the Host header. */
export async function testGateway(): Promise<TestGateway> {
  const gateway: Omit<TestGateway, 'address' | 'close'> = { events: [], brokerStatus: 202, users: new Set() }
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { host = '', authorization } = request.headers
      if (host.startsWith('users.')) {
        const [, id = ''] = /^\/users\/(.+)$/.exec(request.url ?? '') ?? []
        response.statusCode = !authorization ? 401 : gateway.users.has(id) ? 200 : 404
      } else {
        if (gateway.brokerStatus === 0) return
        response.statusCode = gateway.brokerStatus
        if (gateway.brokerStatus === 202) {
          const data = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
          gateway.events.push({ headers: request.headers, data })
        }
      }
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(gateway, {
    address: `127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
