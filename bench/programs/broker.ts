import http from 'node:http'
import { startBroker } from '../../eventing/broker/broker.ts'
import type { EventDestination } from '../../eventing/broker/manifests.ts'
import { brokersOf } from '../../knative/local/eventing/brokers.ts'
import { CLUSTER_DOMAIN } from '../../knative/local/gateway/hosts.ts'
import { readManifests } from '../../knative/local/manifests/manifests.ts'
import { createLog } from '../../monitoring/log.ts'

/** Runs the Broker with its Triggers as a server. SERVICES has the base URLs of functions by name. */
async function main(): Promise<void> {
  const { PORT, SERVICES = '{}', AMQP_URL: amqpUrl, POSTGRES_URL: postgresUrl } = process.env
  const services = JSON.parse(SERVICES) as Record<string, string>
  const resolve = ({ ref, uri = '/' }: EventDestination) => {
    const url = ref && services[ref.name]
    if (!url) throw new Error(`${ref?.name ?? uri} is not started in this measurement`)
    return { url: new URL(uri, url).href, host: `${ref.name}.${CLUSTER_DOMAIN}` }
  }
  const broker = await startBroker({
    manifests: brokersOf(readManifests(process.cwd()).eventing)[0]!,
    resolve,
    log: createLog({ service: 'broker' }),
    ...(amqpUrl ? { amqpUrl } : { postgresUrl: postgresUrl! }),
  })
  http
    .createServer((request, response) => {
      // The answer is the process id, so that the bench can read what the process uses.
      if (request.url === '/healthz') response.writeHead(200).end(String(process.pid))
      else broker.handler(request, response)
    })
    .listen(Number(PORT), '127.0.0.1')
}

void main()
