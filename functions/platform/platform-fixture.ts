import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalogueOf } from '../host/catalogue.ts'
import { operations, ROOT } from '../../tests/support/repository.ts'
import { readManifests } from '../../knative/local/manifests/manifests.ts'
import { createObjects } from '../../knative/local/kubernetes/objects/objects.ts'
import { startApi } from '../../knative/local/kubernetes/api-fixture.ts'
import { brokersOf } from '../../knative/local/eventing/brokers.ts'
import { DeliveryRates } from '../../knative/local/eventing/delivery-rates.ts'
import { passToPrometheus } from '../../knative/local/gateway/prometheus.ts'
import { internalHandler } from '../../knative/local/gateway/router.ts'
import { ownAnswers } from '../../knative/local/own-answers.ts'
import { RecentStarts } from '../../knative/local/serving/recent-starts.ts'
import type { Service } from '../../knative/local/serving/service.ts'
import type { RuntimeStatus } from '../../knative/local/status.ts'
import { createLog } from '../../monitoring/log.ts'
import { Meter } from '../../monitoring/meter/meter.ts'
import { noMetrics } from '../../eventing/broker/metrics.ts'

const manifests = readManifests(ROOT)

/** A bank whose functions are all at zero. */
const atZero = (): RuntimeStatus => ({
  ...{ pid: 1, url: 'http://localhost:1', queue: 'Postgres' },
  services: manifests.services.map(({ name, clusterLocal, scaling }) => ({
    ...{ name, clusterLocal, url: `http://${name}`, ready: true, reason: '', initialized: true },
    ...{ processes: 0, starting: 0, wanted: 0, inFlight: 0, held: 0, coldStarts: 0 },
    ...{ minScale: scaling.minScale, maxScale: scaling.maxScale, lastColdStart: undefined },
  })),
  brokers: brokersOf(manifests.eventing).map(({ broker, triggers }) => ({
    ...{ name: broker.metadata.name, ready: true, reason: '' },
    triggers: triggers.map(({ metadata }) => ({
      ...{ name: metadata.name, ready: true, reason: '', backlog: 0, deadLetters: 0, delivered: 0 },
    })),
  })),
})

/** The runtime as functions reach it, without processes: what it tells can be put in. */
function standInForRuntime(status: () => Promise<RuntimeStatus>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'microbank-platform-'))
  mkdirSync(join(dataDir, 'logs'))
  const log = createLog({}, 'error')
  const [starts, rates] = [new RecentStarts(), new DeliveryRates()]
  const meter = new Meter({ log, version: '1' })
  const services = new Map(manifests.services.map(({ name }) => [name, {} as Service]))
  const bareNode = { medianMs: (): number | undefined => 38 }
  const own = ownAnswers({ dataDir, services, meter, starts, rates, bareNode, status })
  return {
    ...{ starts, meter, bareNode, deliver: rates.watch(noMetrics).delivered },
    handler: internalHandler({
      ...{ services: new Map(), brokers: new Map(), log, status, own, meter },
      prometheus: passToPrometheus(dataDir),
    }),
    dataDir,
    writeLog: (name: string, text: string) => writeFileSync(join(dataDir, 'logs', `${name}.log`), text),
    remove: () => rmSync(dataDir, { recursive: true }),
  }
}

export type TestPlatform = Awaited<ReturnType<typeof startPlatform>>

/** Starts what the platform's functions read: the Kubernetes API of the local runtime over the bank's own
 * manifests, and a stand-in for the runtime's gateway. The state that both tell can be set. */
export async function startPlatform() {
  let status = atZero()
  let isAway = false
  const api = await startApi(createObjects({ manifests, status: async () => status, startedAt: new Date() }))
  const runtime = standInForRuntime(async () => status)
  const gateway = http.createServer((request, response) =>
    isAway ? response.writeHead(503).end() : runtime.handler(request, response),
  )
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const KUBERNETES_API = `http://127.0.0.1:${api.port}`
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  return {
    manifests,
    api,
    runtime,
    catalogue: catalogueOf(await operations()),
    /** The environment of a function on a laptop, and on a cluster. */
    onLaptop: { KUBERNETES_API, LOCAL_GATEWAY },
    onCluster: { KUBERNETES_API },
    /** Changes the state of a function. */
    set(name: string, change: Partial<RuntimeStatus['services'][number]>): void {
      Object.assign(
        status.services.find((service) => service.name === name)!,
        change,
      )
    },
    broker: () => status.brokers[0]!,
    trigger: (wanted: string) => status.brokers[0]!.triggers.find(({ name }) => name === wanted)!,
    /** Lets the runtime answer, or not. */
    away(isGone: boolean): void {
      isAway = isGone
    },
    reset(): void {
      status = atZero()
      isAway = false
    },
    async stop(): Promise<void> {
      await api.stop()
      gateway.closeAllConnections()
      gateway.close()
      runtime.remove()
    },
  }
}
