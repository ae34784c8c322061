import { mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { Log } from '../../monitoring/log.ts'
import { QUEUE_DATABASE, startBackends, type Backends } from './servers/backends.ts'
import { createColdStartMetrics } from './serving/cold-start-metrics.ts'
import { contextsOf } from './servers/databases.ts'
import { environmentOf, overridden, type EnvData } from './manifests/environment.ts'
import { brokersOf, startBrokers } from './eventing/brokers.ts'
import { openFunctionLogs } from './processes/function-log.ts'
import { clusterHostOf, PUBLIC_DOMAIN } from './gateway/hosts.ts'
import { createObjects } from './kubernetes/objects/objects.ts'
import { openKubernetesApi } from './kubernetes/open.ts'
import { openProcessRecords } from './processes/leftovers.ts'
import { lockDataFolder } from './data-folder/lock.ts'
import { readManifests } from './manifests/manifests.ts'
import type { QueueChoice } from './options.ts'
import { closeFolder, isDataFolder, remove } from './data-folder/own-files.ts'
import { startPingSource } from './eventing/ping-source.ts'
import { userForPostgres } from './servers/postgres-binaries.ts'
import { checkRoom, explainFullDisk } from './data-folder/room.ts'
import { internalHandler, openListener, publicHandler } from './gateway/router.ts'
import { openSecrets, type SecretStore } from './secrets.ts'
import type { Service } from './serving/service.ts'
import { createServices } from './serving/services.ts'
import { Undo } from './processes/undo.ts'
import type { RuntimeStatus } from './status.ts'

export interface RuntimeOptions {
  /** The folder of the repository, with manifests and migrations. */
  root: string
  /** The folder of the functions' bundles; default `<root>/dist/functions`. */
  bundles?: string
  dataDir: string
  /** The public port; 0 is any free port. */
  port: number
  /** The port of the Kubernetes API. Undefined is 8081 or, if that is taken, another one. */
  kubernetesPort?: number | undefined
  /** The addresses of the public port; by default only this machine. */
  hosts?: string[]
  queue?: QueueChoice | undefined
  env?: NodeJS.ProcessEnv
  log: Log
  /** Called with a sentence that says what the start is doing or waiting for. */
  onProgress?: (sentence: string) => void
  /** Called with lines of functions that are warnings or worse. */
  onWarning?: (line: string) => void
}

export interface Runtime {
  url: string
  port: number
  internalPort: number
  dataDir: string
  /** The file for KUBECONFIG, by which kubectl and kn find this bank. */
  kubeconfig: string
  /** What carries the events, and why. */
  queue: string
  secrets: SecretStore
  status(): Promise<RuntimeStatus>
  /**
   * Stops everything in order. Finishes open requests and events, then stops functions, Broker and databases.
   */
  stop(): Promise<void>
  /** Ends everything at once. Committed data stays. */
  kill(): void
}

const LOOPBACK = ['127.0.0.1', '::1']
/** The most time for open requests when the bank stops. */
const FINISH_MS_MAX = 30_000

/**
 * Starts the whole bank on this machine, from the manifests that a cluster would get.
 * @throws an error whose message is meant for people: the data folder is in use, a port is taken, the disk is
 *   full, a manifest is wrong, ...
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const undo = new Undo(options.log)
  try {
    const bank = await openBank(options, undo)
    const backends = await startBackends(bank)
    undo.add(() => backends.stop())
    const inside = await openInside(bank, backends, undo)
    const { port, url } = await openOutside(bank, inside, undo)

    const { services, brokers, internalPort } = inside
    const queue = backends.queue.about
    inside.describe(async () => ({
      pid: process.pid,
      url,
      queue,
      services: [...services.values()].map((service) => ({ ...service.status(), url: urlOf(service, port) })),
      brokers: await brokers.status(),
    }))
    const startedAt = new Date()
    const api = await openKubernetesApi({
      read: createObjects({ manifests: bank.manifests, status: inside.status, startedAt }),
      ...{ startedAt, port: bank.kubernetesPort, dataDir: bank.dataDir },
      ...{ log: bank.log, onProgress: bank.onProgress },
    })
    undo.add(() => api.stop())
    undo.add(announce(bank.dataDir, { pid: process.pid, url, port, internalPort }))
    return {
      ...{ url, port, internalPort, queue, dataDir: bank.dataDir, secrets: bank.secrets },
      kubeconfig: api.kubeconfig,
      status: inside.status,
      stop: () => undo.run(),
      kill() {
        for (const service of services.values()) service.kill()
        backends.kill()
      },
    }
  } catch (error) {
    await undo.run()
    throw explainFullDisk(error, options.dataDir)
  }
}

/** Takes the data folder, removes what a killed run left, and reads what to run. */
async function openBank(options: RuntimeOptions, undo: Undo) {
  mkdirSync(options.dataDir, { recursive: true })
  const dataDir = realpathSync(options.dataDir)
  const onProgress = options.onProgress ?? (() => {})
  if (isDataFolder(dataDir)) closeFolder(dataDir, userForPostgres())
  checkRoom(dataDir)
  undo.add(lockDataFolder(dataDir))
  await requirePort(options)
  // This file belongs to a killed run, or came with a copy of the folder: it describes another bank.
  remove(join(dataDir, 'runtime.json'))
  const records = openProcessRecords(dataDir)
  for (const leftover of await records.stopLeftovers())
    onProgress(`stopped ${leftover}, left by an earlier run`)
  const manifests = readManifests(options.root)
  const brokers = brokersOf(manifests.eventing)
  const contexts = contextsOf(options.root)
  const secrets = openSecrets(dataDir, [...contexts, QUEUE_DATABASE])
  const { queue, env = process.env } = options
  return { ...options, dataDir, onProgress, records, manifests, brokers, contexts, secrets, queue, env }
}

/** Fails at once if the port is taken, before the databases and the Broker have started. */
async function requirePort({ port, hosts }: RuntimeOptions): Promise<void> {
  const open = await openListener(() => {}, port, hosts ?? LOOPBACK)
  await open.stop(0)
}

type OpenedBank = Awaited<ReturnType<typeof openBank>>

/**
 * Opens the cluster-local side: the functions' Services (without processes), the Broker, and the gateway
 * between them.
 */
async function openInside(bank: OpenedBank, backends: Backends, undo: Undo) {
  const { dataDir, manifests, env, log, records, onProgress } = bank
  let status = (): Promise<RuntimeStatus> => Promise.reject(new Error('The bank is still starting.'))
  const services = new Map<string, Service>()
  const coldStarts = createColdStartMetrics()
  const routes = {
    ...{ services, brokers: new Map<string, RequestListener>(), log },
    ingressToken: bank.secrets.ingressToken,
    status: () => status(),
    metrics: () => coldStarts.expose(),
  }
  const gateway = await openListener(internalHandler(routes), 0, ['127.0.0.1'])
  undo.add(() => gateway.stop(1000))
  const logs = openFunctionLogs(dataDir, bank.onWarning ?? (() => {}))
  undo.add(() => logs.close())

  const data = environmentData(bank, backends)
  const local = {
    LOCAL_GATEWAY: `127.0.0.1:${gateway.port}`,
    HOST: '127.0.0.1',
    // Node 22.1 and newer keep compiled code there for the next start of the same bundle.
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
  }
  const created = createServices(manifests.services, {
    bundles: bank.bundles ?? join(bank.root, 'dist', 'functions'),
    environmentOf: (manifest) => environmentOf(manifest, data, env, local),
    ...{ logs, coldStarts, records, log },
  })
  for (const [name, service] of created) services.set(name, service)

  onProgress('the Broker is starting')
  const brokers = await startBrokers(bank.brokers, backends.queue, gateway.port, log)
  for (const [name, { handler }] of brokers.byName) routes.brokers.set(name, handler)
  // Functions may publish until they end. So first nothing new is delivered, then the functions end, and the
  // Broker's ingress closes last.
  undo.add(() => brokers.stop())
  undo.add(() => Promise.all([...services.values()].map((service) => service.stop())))
  undo.add(() => brokers.drain())
  const describe = (said: typeof status) => (status = said)
  return { services, brokers, routes, internalPort: gateway.port, status: () => status(), describe }
}

type Inside = Awaited<ReturnType<typeof openInside>>

/** Opens the public port, and starts the first processes and the PingSources. */
async function openOutside(bank: OpenedBank, { services, routes, internalPort }: Inside, undo: Undo) {
  const open = await openListener(publicHandler(routes), bank.port, bank.hosts ?? LOOPBACK)
  undo.add(() => {
    for (const service of services.values()) service.endStreams()
    return open.stop(FINISH_MS_MAX)
  })
  for (const service of services.values()) service.start()
  for (const source of bank.manifests.pingSources) undo.add(startPingSource(source, internalPort, bank.log))
  return { port: open.port, url: `http://localhost:${open.port}` }
}

/** Only the public port is between a client and a function. It replaces what the client says about itself. */
const HERE = { TRUSTED_HOPS: '1', TRUSTED_HOPS_MAPPED: '1' }

function environmentData({ secrets, manifests, env }: OpenedBank, { databases }: Backends): EnvData {
  const urls = Object.entries(databases).map(([context, { functions }]) => [context, functions] as const)
  return {
    Secret: secrets.secrets(Object.fromEntries(urls)),
    ConfigMap: new Map([...overridden(manifests.configMaps, { ...HERE, ...env }), ...secrets.configMaps()]),
  }
}

function urlOf({ manifest: { name, clusterLocal } }: Service, port: number): string {
  return clusterLocal ? `http://${clusterHostOf({ name })}` : `http://${name}.${PUBLIC_DOMAIN}:${port}`
}

/**
 * Writes `runtime.json`, by which `npm run ps` and a second start find this bank.
 * @returns a function that removes the file
 */
function announce(
  dataDir: string,
  running: { pid: number; url: string; port: number; internalPort: number },
) {
  const file = join(dataDir, 'runtime.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(running)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return () => remove(file)
}
