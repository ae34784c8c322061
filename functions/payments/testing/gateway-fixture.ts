import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Operation } from '../../host/operation.ts'
import { request, startFunction, type Answer, type TestFunction } from '../../../tests/support/host.ts'

/** What the gateway does with a request: passes it on; passes it on later; passes it on and loses the answer;
 * loses the request; passes it on and is silent until the caller gives up; or passes it on and gives another
 * answer. */
export type Passage =
  | 'pass'
  | { after: Promise<void> }
  | 'lose-answer'
  | 'lose-request'
  | 'silence'
  | ((answer: Answer) => Pick<Answer, 'status' | 'body'>)

/** Stands in for the gateway of a cluster: finds a function by the Host header. */
export interface TestRouter {
  address: string
  /** Starts a function that the router finds by its name, and stops the one that had it. */
  start(operation: Operation, env: Record<string, string>): Promise<TestFunction>
  /** The functions that were started, by name. */
  functions: ReadonlyMap<string, TestFunction>
  /** Decides about each request to a function, by its idempotency key. Tests set it. */
  passage: (service: string, key: string) => Passage
  /** Types of the events that the Broker took, in order of arrival. */
  events: { type: string; data: Record<string, unknown>; headers: http.IncomingHttpHeaders }[]
  /** How many requests went to a function. */
  count(service: string): number
  close(): Promise<void>
}

const PASSED_ON = [
  ...['authorization', 'content-type', 'idempotency-key', 'traceparent', 'x-microbank-client'],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature'],
]
/** The front door routes by the path; of payments, it is called for one thing only. */
const BEHIND_FRONT_DOOR = 'receive-hook'

export async function testRouter(): Promise<TestRouter> {
  const functions = new Map<string, TestFunction>()
  const counts = new Map<string, number>()
  const router: Pick<TestRouter, 'passage' | 'events'> = { passage: () => 'pass', events: [] }

  const passOn = async (
    service: string,
    { method = '', url = '', headers }: http.IncomingMessage,
    body: string,
  ) => {
    counts.set(service, (counts.get(service) ?? 0) + 1)
    const target = functions.get(service)
    const passage = router.passage(service, String(headers['idempotency-key']))
    if (!target || passage === 'lose-request') return undefined
    if (typeof passage === 'object') await passage.after
    const sent = PASSED_ON.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : []))
    const answer = await request(method, target.url + url, {
      headers: Object.fromEntries(sent) as Record<string, string>,
      ...(body && { body }),
    })
    if (passage === 'silence') return new Promise<undefined>(() => undefined)
    if (typeof passage === 'function') return { ...answer, ...passage(answer) }
    return passage === 'lose-answer' ? undefined : answer
  }

  const server = http.createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const [called = ''] = (incoming.headers.host ?? '').split('.')
      const service = called === 'front-door' ? BEHIND_FRONT_DOOR : called
      if (called === 'front-door') incoming.url = incoming.url!.replace(/^\/api/, '')
      if (service.includes('broker')) {
        const { headers } = incoming
        const data = JSON.parse(body) as Record<string, unknown>
        router.events.push({ type: String(headers['ce-type']), data, headers })
        return void response.writeHead(202).end()
      }
      passOn(service, incoming, body).then(
        (answer) => {
          if (!answer) return void response.writeHead(503).end()
          const type = answer.headers.get('content-type')
          response.writeHead(answer.status, type ? { 'content-type': type } : {})
          response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
        },
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(router, {
    address,
    functions,
    start: async (operation: Operation, env: Record<string, string>) => {
      const running = await startFunction(operation, { LOCAL_GATEWAY: address, ...env })
      await functions.get(operation.name)?.stop()
      functions.set(operation.name, running)
      return running
    },
    count: (service: string) => counts.get(service) ?? 0,
    close: async () => {
      for (const running of functions.values()) await running.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
