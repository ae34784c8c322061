import http, { type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { receiveReport, type Meter } from './meter.ts'

export interface MeterPorts {
  /** Where processes report, by OTLP over HTTP. */
  reports: number
  /** Where Prometheus reads. */
  metrics: number
}

export interface MeterServer {
  ports: MeterPorts
  /** Takes no more reports, waits until the values were read once more, and closes. Whoever reads them last
   * has all that was taken. If nobody comes in time, it closes all the same; resolves with whether
   * somebody came. */
  stop(waitMs: number): Promise<boolean>
}

/** Answers on two ports, because those who report must not read. Port 0 is any free one. */
export async function serveMeter(
  meter: Pick<Meter, 'take' | 'expose'>,
  wanted: MeterPorts,
): Promise<MeterServer> {
  let isEnding = false
  let readOnceMore: () => void
  const wasRead = new Promise<true>((resolve) => (readOnceMore = () => resolve(true)))

  const reports = http.createServer((request, response) => {
    // A connection that stays open would keep the server from closing.
    response.once('close', () => isEnding && reports.closeIdleConnections())
    if (request.url !== '/v1/metrics' || request.method !== 'POST') return notFound(request, response)
    receiveReport(meter, request, response)
  })
  const metrics = http.createServer((request, response) => {
    if (request.url === '/healthz') return void response.end('ok\n')
    if (request.url !== '/metrics') return notFound(request, response)
    const isLast = isEnding && !reports.listening
    response.once('finish', () => isLast && response.statusCode === 200 && readOnceMore())
    void meter
      .expose(request.headers.accept, { isLast })
      .then(({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text))
      // What was counted must not be lost for that. Prometheus shows the target as down.
      .catch((error: Error) => response.writeHead(500).end(`${error.message}\n`))
  })
  const [open, read] = await Promise.all([listen(reports, wanted.reports), listen(metrics, wanted.metrics)])

  return {
    ports: { reports: open, metrics: read },
    async stop(waitMs) {
      isEnding = true
      await close(reports)
      const came = await Promise.race([wasRead, after(waitMs)])
      await close(metrics)
      return came
    },
  }
}

const notFound: RequestListener = (request, response) => {
  request.resume()
  response.writeHead(404, { 'content-type': 'text/plain' }).end('There is nothing here.\n')
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, () => resolve((server.address() as AddressInfo).port))
  })
}

const CLOSE_MS_MAX = 2_000

/** Lets the answers that are under way come to their end. */
async function close(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX)
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  await closed
  clearTimeout(late)
}

const after = (milliseconds: number): Promise<false> =>
  new Promise((resolve) => setTimeout(() => resolve(false), milliseconds).unref())
