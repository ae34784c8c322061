import { Cron } from 'croner'
import { randomUUID } from 'node:crypto'
import * as http from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { clusterHostOf } from '../gateway/hosts.ts'
import { NAMESPACE, type PingSourceManifest } from '../manifests/manifests.ts'

const ANSWER_MS_MAX = 60_000

/**
 * Sends an event to the sink of a PingSource at the times of its schedule (cron, in its time zone), through
 * the internal gateway. If the sink refuses an event, this is logged and the event is not sent again, because
 * the next one comes soon. While one event is on its way, no other is sent.
 * @returns a function that stops the PingSource; it resolves when no event is on its way
 * @throws an error that names the PingSource if its schedule can't be read
 */
export function startPingSource(
  source: PingSourceManifest,
  gatewayPort: number,
  log: Log,
): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  const send = (): Promise<void> =>
    (underWay = post(source, gatewayPort).catch((error: Error) =>
      log.warn('a PingSource could not deliver', { pingsource: source.name, error: error.message }),
    ))
  const job = schedule(source, send)
  return async () => {
    job.stop()
    await underWay
  }
}

function schedule(source: PingSourceManifest, send: () => Promise<void>): Cron {
  try {
    return new Cron(
      source.schedule,
      { protect: true, ...(source.timezone && { timezone: source.timezone }) },
      send,
    )
  } catch (error) {
    const reason = (error as Error).message
    throw new Error(`PingSource ${source.name}: schedule ${source.schedule} can't be read: ${reason}`, {
      cause: error,
    })
  }
}

/**
 * Sends one event: CloudEvents HTTP binding 1.0.2, binary mode, with the type and source of Knative's
 * PingSource. Rejects if the sink doesn't answer with a 2xx status in time.
 */
function post(source: PingSourceManifest, port: number): Promise<void> {
  const { name, sink, data = Buffer.alloc(0) } = source
  const extensions = Object.entries(source.extensions).map(([key, value]) => [`ce-${key}`, value])
  return new Promise((resolve, reject) => {
    const message = http.request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: sink.uri,
      timeout: ANSWER_MS_MAX,
      headers: {
        ...Object.fromEntries(extensions),
        host: clusterHostOf(sink),
        'ce-specversion': '1.0',
        'ce-id': randomUUID(),
        'ce-type': 'dev.knative.sources.ping',
        'ce-source': `/apis/v1/namespaces/${NAMESPACE}/pingsources/${name}`,
        'ce-time': new Date().toISOString(),
        'content-length': data.length,
        ...(source.contentType && { 'content-type': source.contentType }),
      },
    })
    message.once('error', reject)
    message.once('timeout', () => message.destroy(new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`)))
    message.once('response', (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) response.once('end', resolve)
      else reject(new Error(`${sink.kind} ${sink.name} answered ${status}`))
    })
    message.end(data)
  })
}
