import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span in the JSON of OTLP (https://opentelemetry.io/docs/specs/otlp/), with its attributes as an
 * object. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  /** 2: server, 3: client, 4: producer, 5: consumer. */
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Record<string, unknown>
  links: { traceId: string; spanId: string }[]
  /** 2 means an error. */
  status: { code: number }
  /** Attributes of the process that sent it. */
  resource: Record<string, unknown>
}

/** A collector of traces for tests. */
export interface Collector {
  endpoint: string
  spans: ReceivedSpan[]
  /** The path and headers of each export. */
  exports: { url: string; headers: http.IncomingHttpHeaders }[]
  /** How it answers from now on; `hang` means not at all. */
  mode: 'take' | 'refuse' | 'hang'
  close(): Promise<void>
}

/** Starts a collector that takes OTLP over HTTP as JSON. */
export async function startCollector(): Promise<Collector> {
  const collector: Omit<Collector, 'endpoint' | 'close'> = { spans: [], exports: [], mode: 'take' }
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      collector.exports.push({ url: request.url ?? '', headers: request.headers })
      if (collector.mode === 'hang') return
      if (collector.mode === 'take') collector.spans.push(...read(Buffer.concat(chunks).toString()))
      response
        .writeHead(collector.mode === 'take' ? 200 : 400, { 'content-type': 'application/json' })
        .end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(collector, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: number; boolValue?: boolean }
}

interface Export {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes' | 'resource'> & { attributes: Attribute[] })[] }[]
  }[]
}

function read(text: string): ReceivedSpan[] {
  return (JSON.parse(text) as Export).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: toObject(span.attributes),
        resource: toObject(resource.attributes),
      })),
    ),
  )
}

const toObject = (attributes: Attribute[]): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue]),
  )
