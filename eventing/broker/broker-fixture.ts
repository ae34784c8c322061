import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'amqplib'
import { createLog } from '../../monitoring/log.ts'
import { KeptSpans, type OtlpSpan, type OtlpTraces } from '../../monitoring/meter/kept-spans.ts'
import { createKeptTracer } from '../../monitoring/meter/kept-tracer.ts'
import { noTracer } from '../../monitoring/tracer.ts'
import { startBroker } from './broker.ts'
import type { Broker } from './broker.ts'
import type { BrokerManifests, Delivery, EventDestination } from './manifests.ts'
import { deadLettersOf, topologyOf } from './topology.ts'

/** For tests of the Broker: a subscriber that records events and answers as told, a Broker, and functions to
 * publish events. */

export const quiet = createLog({}, 'error', () => undefined)

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface SentAnswer {
  status: number
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
}

/** Decides the answer to the nth request (from 1) for the same path and event. A promise that never resolves
 * means no answer. */
export type Answering = (received: Received, nth: number) => SentAnswer | 'hang up' | Promise<SentAnswer>

export interface Subscriber {
  url: string
  received: Received[]
  /** Ids of the events that arrived at a path, in order, with repeats. */
  ids: (path: string) => (string | undefined)[]
  answering: Answering
  stop: () => Promise<void>
}

export async function startSubscriber(answering: Answering = () => ({ status: 204 })): Promise<Subscriber> {
  const received: Received[] = []
  const times = new Map<string, number>()
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks) }
      received.push(one)
      const key = `${one.path} ${String(one.headers['ce-id'])}`
      times.set(key, (times.get(key) ?? 0) + 1)
      void Promise.resolve(subscriber.answering(one, times.get(key)!)).then((answer) => {
        if (answer === 'hang up') return request.destroy()
        return response.writeHead(answer.status, answer.headers).end(answer.body)
      })
    })
  })
  const url = await listen(server)
  const subscriber: Subscriber = {
    url,
    received,
    answering,
    ids: (path) => received.filter((one) => one.path === path).map((one) => one.headers['ce-id'] as string),
    stop: () => close(server),
  }
  return subscriber
}

export interface TriggerSketch {
  name: string
  filter?: Record<string, string>
  delivery?: Delivery
  parallelism?: number
}

/** A delivery with retries that are short enough for a test. */
export const quickly = (retry: number, more: Delivery = {}): Delivery => ({
  retry,
  backoffPolicy: 'linear',
  backoffDelay: 'PT0.01S',
  ...more,
})

/** Returns manifests in a namespace of their own, so that tests don't share queues. A Trigger's subscriber is
 * the path `/<name>`. */
export function manifestsOf(
  triggers: readonly TriggerSketch[],
  {
    delivery,
    namespace = `test-${randomUUID().slice(0, 8)}`,
  }: { delivery?: Delivery; namespace?: string } = {},
): BrokerManifests {
  return {
    broker: {
      kind: 'Broker',
      metadata: { name: 'default', namespace },
      spec: { ...(delivery && { delivery }) },
    },
    triggers: triggers.map((each) => ({
      kind: 'Trigger',
      metadata: {
        name: each.name,
        namespace,
        annotations: { 'rabbitmq.eventing.knative.dev/parallelism': String(each.parallelism ?? 10) },
      },
      spec: {
        broker: 'default',
        ...(each.filter && { filter: { attributes: each.filter } }),
        subscriber: { ref: { kind: 'Service', name: each.name } },
        ...(each.delivery && { delivery: each.delivery }),
      },
    })),
  }
}

export interface TestBroker extends Broker {
  url: string
  /** Publishes in binary mode; resolves with the ingress's answer. */
  send: (attributes?: Record<string, string>, body?: string | Buffer, more?: RequestInit) => Promise<Response>
  /** The spans of a trace, if it is traced. */
  trace: (traceId: string) => OtlpSpan[]
}

/** Where the queue is: RabbitMQ or Postgres. */
export type Transport = { amqpUrl: string } | { postgresUrl: string }

export async function startTestBroker(
  transport: Transport,
  manifests: BrokerManifests,
  subscriberUrl: string,
  isTraced = false,
): Promise<TestBroker> {
  const resolve = ({ ref, uri }: EventDestination) => {
    if (!ref) throw new Error(`expected a reference to a Service, got the URI ${uri}`)
    return { url: `${subscriberUrl}/${ref.name}`, host: `${ref.name}.bank.svc.cluster.local` }
  }
  const patience = { triesMs: 300, pauseMs: 2_000, shortMs: 20 }
  const kept = new KeptSpans()
  const tracer = isTraced ? createKeptTracer(kept, {}) : noTracer
  const broker = await startBroker({ ...transport, manifests, resolve, log: quiet, patience, tracer })
  const server = http.createServer(broker.handler)
  const url = await listen(server)
  return {
    ...broker,
    url,
    trace: (traceId) =>
      (JSON.parse(kept.trace(traceId)) as OtlpTraces).resourceSpans.flatMap(
        ({ scopeSpans }) => scopeSpans[0]!.spans,
      ),
    send: (attributes, body = '{}', more) =>
      fetch(url, {
        method: 'POST',
        body: new Uint8Array(Buffer.from(body)),
        ...more,
        headers: { 'content-type': 'application/json', ...eventHeaders(attributes), ...more?.headers },
      }),
    async stop(deadlineMs) {
      await close(server)
      await broker.stop(deadlineMs)
    },
  }
}

/** Returns the ce- headers of an event of type `tested` with a fresh id. */
export function eventHeaders(attributes: Record<string, string> = {}): Record<string, string> {
  const all = { specversion: '1.0', id: randomUUID(), source: '/tests', type: 'tested', ...attributes }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value]))
}

/** Removes a test's queues and exchanges from the shared RabbitMQ. */
export async function removeFromRabbitmq(url: string, manifests: readonly BrokerManifests[]): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  for (const topology of manifests.map(topologyOf)) {
    const deadLetters = deadLettersOf(topology)
    const queues = [...topology.triggers, ...deadLetters].map((each) => each.queue)
    for (const queue of [...queues, topology.memory]) await channel.deleteQueue(queue)
    for (const exchange of [topology.exchange, ...deadLetters.map((each) => each.exchange)])
      await channel.deleteExchange(exchange)
  }
  await connection.close()
}

async function listen(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const close = (server: http.Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
