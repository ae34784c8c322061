import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { eventFromHttp } from '../../../eventing/http-binding.ts'
import type { EventMessage } from '../../../eventing/message.ts'
import type { Answer, TestFunction } from '../../../tests/support/host.ts'

/** Stands in for the Broker's ingress. */
export interface TestBroker {
  url: string
  /** What it answers for an event. Tests set it. */
  answer: (event: EventMessage) => number
  /** What it took. */
  taken: EventMessage[]
  close(): void
}

export async function testBroker(): Promise<TestBroker> {
  const broker: TestBroker = { url: '', answer: () => 202, taken: [], close: () => close(server) }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const event = eventFromHttp(request.headers, Buffer.concat(chunks))
      const status = broker.answer(event)
      if (status === 202) broker.taken.push(event)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  broker.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return broker
}

function close(server: Server): void {
  server.closeAllConnections()
  server.close()
}

interface GivenLetter {
  id?: string
  type?: string
  /** The consumer that failed. */
  consumer?: string
  /** What it answered. */
  said?: string
}

/** Delivers a dead letter to its sink as the Broker does. */
export const deliverLetter = (
  to: TestFunction,
  { id = randomUUID(), type = 'payment.created', consumer = 'notify', said = 'no' }: GivenLetter = {},
): Promise<Answer> =>
  to.request('POST', '/events', {
    body: '{}',
    headers: {
      host: 'dead-letters.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': type,
      'ce-source': '/microbank/payments',
      'ce-knativeerrordest': `http://${consumer}.bank.svc.cluster.local/events`,
      'ce-knativeerrorcode': '500',
      'ce-knativeerrordata': Buffer.from(JSON.stringify({ title: 'No', detail: said })).toString('base64'),
    },
  })
