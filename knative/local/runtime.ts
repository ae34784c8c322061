import { randomBytes } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { dirname, join } from 'node:path'
import { brokerMetrics } from '../../eventing/broker/metrics.ts'
import type { Log } from '../../monitoring/log.ts'
import { probeFrontDoor } from '../../monitoring/meter/probe.ts'
import { announce } from './announce.ts'
import { lockDataFolder } from './data-folder/lock.ts'
import { closeFolder, isDataFolder, remove } from './data-folder/own-files.ts'
import { checkRoom, explainFullDisk } from './data-folder/room.ts'
import { brokersOf, startBrokers } from './eventing/brokers.ts'
import { DeliveryRates } from './eventing/delivery-rates.ts'
import { startPingSource } from './eventing/ping-source.ts'
import { clusterHostOf, PUBLIC_DOMAIN } from './gateway/hosts.ts'
import { internalHandler, openListener, publicHandler, type Routes } from './gateway/router.ts'
import { createObjects } from './kubernetes/objects/objects.ts'
import { openKubernetesApi } from './kubernetes/open.ts'
import { environmentData, type UsedServers } from './environment-data.ts'
import { openLab } from './lab/open-lab.ts'
import { environmentOf } from './manifests/environment.ts'
import { readManifests } from './manifests/manifests.ts'
import { createMeter } from '../meter/create-meter.ts'
import { brokerTracer, measure, samplesOf } from './metering.ts'
import { passToPrometheus } from './gateway/prometheus.ts'
import type { QueueChoice } from './options.ts'
import { ownAnswers } from './own-answers.ts'
import { createOwnKeys, openDoors } from './own-doors.ts'
import { openFunctionLogs } from './processes/function-log.ts'
import { openProcessRecords } from './processes/leftovers.ts'
import { createUndo, type Undo } from './processes/undo.ts'
import { openSecrets, type SecretStore } from './secrets.ts'
import { QUEUE_DATABASE, startBackends, type Backends } from './servers/backends.ts'
import { contextsOf } from './servers/databases.ts'
import { startMail } from './servers/mail-catcher.ts'
import { userForPostgres } from './servers/postgres-binaries.ts'
import { BareNode } from './serving/bare-node.ts'
import { RecentStarts } from './serving/recent-starts.ts'
import type { Service } from './serving/service.ts'
import { createServices } from './serving/services.ts'
import { createSignInCode } from './sign-in-code.ts'
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
  /** Whether emails are caught: `npm run mail` shows them, and none leaves this machine. */
  catchesMail: boolean
  secrets: SecretStore
  /** The link that signs the first operator in: once, for some minutes. */
  signInUrl: string
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
  const undo = createUndo(options.log)
  try {
    const bank = await openBank(options, undo)
    const backends = await startBackends(bank)
    undo.add(() => backends.stop())
    const gateway = await openGateway(bank, undo)
    undo.add(measure(bank, backends, gateway))
    const mail = await startMail(bank)
    undo.add(() => mail?.stop())
    const services = openServices(bank, { ...backends, mailUrl: mail?.url }, gateway, undo)
    const brokers = await openBrokers(bank, backends, gateway, undo)
    const about = () => {
      const url = `http://localhost:${gateway.publicPort}`
      return { pid: process.pid, url, queue: backends.queue.about }
    }
    const status = async (): Promise<RuntimeStatus> => ({
      ...about(),
      services: [...services.values()].map((service) => ({
        ...service.status(),
        url: urlOf(service, gateway.publicPort),
      })),
      brokers: await brokers.status(),
    })
    const kubernetes = await openKubernetes(bank, status, undo)
    gateway.kubernetesPort = kubernetes.port
    const port = await openPublicPort(bank, gateway, undo)
    gateway.publicPort = port
    for (const service of services.values()) service.start()
    for (const source of bank.manifests.pingSources) undo.add(startPingSource(source, gateway.port, bank.log))
    gateway.routes.status = status
    const bareNode = new BareNode(bank.records)
    undo.add(() => bareNode.stop())
    gateway.routes.own = ownAnswers({ dataDir: bank.dataDir, ...gateway, bareNode, status })
    gateway.meter.addSource(async () => samplesOf(await status()))
    const hosts = bank.hosts ?? LOOPBACK
    gateway.meter.addSource(probeFrontDoor({ host: hosts[0], port, headers: { host: 'localhost' } }))
    const lab = openLab({ ...bank, hosts }, backends, gateway, { port, brokers })
    openDoors(bank, gateway.doors, { hosts, port, catchesMail: mail !== undefined })
    // Before anything else ends: what the lab has frozen must be able to end.
    undo.add(() => lab.stop())
    const { url, queue } = about()
    undo.add(announce(bank.dataDir, { ...about(), port, internalPort: gateway.port }))
    return {
      ...{ url, port, internalPort: gateway.port, queue },
      ...{
        catchesMail: mail !== undefined,
        dataDir: bank.dataDir,
        secrets: bank.secrets,
        signInUrl: `${url}/sign-in#code=${bank.signInCode.code}`,
        kubeconfig: kubernetes.kubeconfig,
        status,
      },
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
  const signInCode = createSignInCode()
  const labKey = randomBytes(24).toString('base64url')
  const ownKeys = createOwnKeys(options.hosts ?? LOOPBACK)
  const found = { dataDir, onProgress, records, manifests, brokers, contexts, secrets, signInCode }
  return { ...options, ...found, labKey, ownKeys, queue, env }
}

type Bank = Awaited<ReturnType<typeof openBank>>

/** Fails at once if the port is taken, before the databases and the Broker have started. */
async function requirePort({ port, hosts }: RuntimeOptions): Promise<void> {
  const open = await openListener(() => {}, port, hosts ?? LOOPBACK)
  await open.stop(0)
}

const bundlesOf = ({ bundles, root }: RuntimeOptions): string => bundles ?? join(root, 'dist', 'functions')

/** Opens the cluster-local gateway. It leads nowhere yet: the next steps add their parts to its routes. */
async function openGateway(bank: Bank, undo: Undo) {
  const { secrets, log } = bank
  const services = new Map<string, Service>()
  const brokers = new Map<string, RequestListener>()
  const meter = createMeter({ dist: dirname(bundlesOf(bank)), log })
  const doors = new Map<string, RequestListener>()
  const routes: Routes & { doors: typeof doors } = {
    ...{ services, brokers, doors, log },
    ingressToken: secrets.ingressToken,
    status: () => Promise.reject(new Error('The bank is still starting.')),
    prometheus: passToPrometheus(bank.dataDir),
    meter,
  }
  const { port, stop } = await openListener(internalHandler(routes), 0, ['127.0.0.1'])
  undo.add(() => stop(1000))
  return {
    ...{ port, publicPort: bank.port, kubernetesPort: 0, routes, doors, services, brokers, meter },
    ...{ starts: new RecentStarts(), rates: new DeliveryRates() },
  }
}

type Gateway = Awaited<ReturnType<typeof openGateway>>

/** Makes the functions' Services, which run no process yet. The gateway leads to them. */
function openServices(bank: Bank, servers: UsedServers, gateway: Gateway, undo: Undo): Map<string, Service> {
  const { dataDir, env, log, records } = bank
  const logs = openFunctionLogs(dataDir, bank.onWarning ?? (() => {}))
  undo.add(() => logs.close())
  // The ports are known when the first process starts, and not yet now.
  const data = environmentData(bank, servers, () => gateway.publicPort)
  const local = {
    LOCAL_GATEWAY: `127.0.0.1:${gateway.port}`,
    HOST: '127.0.0.1',
    // Node 22.1 and newer keep compiled code there for the next start of the same bundle.
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
  }
  const created = createServices(bank.manifests.services, {
    bundles: bundlesOf(bank),
    environmentOf: (manifest) =>
      environmentOf(manifest, data(), env, {
        ...local,
        // On a cluster, only these have the token that opens it.
        ...(manifest.serviceAccount && { KUBERNETES_API: `http://127.0.0.1:${gateway.kubernetesPort}` }),
      }),
    ...{ logs, meter: gateway.meter, starts: gateway.starts, records, log },
  })
  for (const [name, service] of created) gateway.services.set(name, service)
  return created
}

/** Starts the Brokers, which deliver to the Services. */
async function openBrokers(bank: Bank, { queue }: Backends, gateway: Gateway, undo: Undo) {
  bank.onProgress('the Broker is starting')
  const { services, port: gatewayPort, meter, rates } = gateway
  const triggers = bank.brokers.flatMap((broker) => broker.triggers.map(({ metadata }) => metadata.name))
  const metrics = rates.watch(brokerMetrics(meter, triggers))
  const tracer = brokerTracer(bank, meter)
  undo.add(() => tracer.stop())
  const shared = { queue, services, gatewayPort, metrics, tracer, log: bank.log }
  const brokers = await startBrokers(bank.brokers, shared)
  for (const [name, { handler }] of brokers.byName) gateway.brokers.set(name, handler)
  // Functions may publish until they end. So first nothing new is delivered, then the functions end, and the
  // Broker's ingress closes last.
  undo.add(() => brokers.stop())
  undo.add(() => Promise.all([...services.values()].map((service) => service.stop())))
  undo.add(() => brokers.drain())
  return brokers
}

/** Opens the bank to its clients. Resolves with the port. */
async function openPublicPort(bank: Bank, { routes, services }: Gateway, undo: Undo): Promise<number> {
  const { port, stop } = await openListener(publicHandler(routes), bank.port, bank.hosts ?? LOOPBACK)
  undo.add(() => {
    for (const service of services.values()) service.endStreams()
    return stop(FINISH_MS_MAX)
  })
  return port
}

function urlOf({ manifest: { name, clusterLocal } }: Service, port: number): string {
  return clusterLocal ? `http://${clusterHostOf({ name })}` : `http://${name}.${PUBLIC_DOMAIN}:${port}`
}

/** Opens the Kubernetes API for kubectl, kn and the Engine room. */
async function openKubernetes(bank: Bank, status: Runtime['status'], undo: Undo) {
  const { manifests, kubernetesPort, dataDir, log, onProgress } = bank
  const startedAt = new Date()
  const read = createObjects({ manifests, status, startedAt })
  const api = await openKubernetesApi({ read, startedAt, port: kubernetesPort, dataDir, log, onProgress })
  undo.add(() => api.stop())
  return api
}
