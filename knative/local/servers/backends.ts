import { join } from 'node:path'
import type { Log } from '../../../monitoring/log.ts'
import { killWithChildren } from '../processes/daemon.ts'
import { givenUrls, migrateContext, startDatabases, type DatabaseUrls } from './databases.ts'
import { keepAlive, type KeptAlive, type Server } from './kept-alive.ts'
import type { QueueChoice } from '../options.ts'
import { stopLeftoverPostgres } from './postgres.ts'
import { findRabbitmq, startRabbitmq, stopLeftoverRabbitmq, type RabbitmqNode } from './rabbitmq.ts'
import type { SecretStore } from '../secrets.ts'
import { Doubts, postgresAnswers, rabbitmqAnswers, watch } from './watch.ts'

/** What carries the events, and a sentence that says why it was chosen. */
export type Queue =
  | {
      amqpUrl: string
      about: string
      /** Only for a node that we start: whether quorum queues would survive a kill of the node now. */
      areOnDisk?: (queues: readonly string[]) => boolean
      /** Only for a node that we start: tells that it did not confirm an event, or could not be prepared. A
       * node that does so again and again is ended and started anew. */
      doubt?: () => void
    }
  | { postgresUrl: string; about: string }

export interface Backends {
  /** By context. */
  databases: Record<string, DatabaseUrls>
  queue: Queue
  /** The servers that this run has started itself. */
  servers: OwnServers
  stop(): Promise<void>
  kill(): void
}

export interface OwnServers {
  postgres: Pick<KeptAlive<Server>, 'pid'> | undefined
  rabbitmq: Pick<KeptAlive<Server>, 'pid'> | undefined
}

export interface BackendsOptions {
  /** The folder of the repository, for the migrations. */
  root: string
  dataDir: string
  contexts: readonly string[]
  queue: QueueChoice | undefined
  secrets: SecretStore
  env: NodeJS.ProcessEnv
  log: Log
  onProgress: (sentence: string) => void
}

/** The database of the queue, if events go through Postgres. */
export const QUEUE_DATABASE = 'eventing'

/**
 * Starts the servers that the functions need and that the environment doesn't give: Postgres, with every
 * context's tables, and RabbitMQ at the same time.
 */
export async function startBackends(options: BackendsOptions): Promise<Backends> {
  const plan = planQueue(options.queue, options.env)
  // A killed run with other settings may have left a node that this run doesn't use.
  if (plan.kind !== 'node') await stopLeftoverRabbitmq(rabbitmqFolder(options), options.onProgress)
  const names = plan.kind === 'postgres' ? [...options.contexts, QUEUE_DATABASE] : options.contexts
  const [{ databases, postgres }, rabbitmq] = await together(
    openDatabases(options, names),
    plan.kind === 'node' ? ownRabbitmq(options) : Promise.resolve(undefined),
  )
  const { about } = plan
  const queue: Queue =
    plan.kind === 'postgres'
      ? { postgresUrl: databases[QUEUE_DATABASE]!.owner, about }
      : plan.kind === 'given'
        ? { amqpUrl: plan.url, about }
        : {
            ...{ amqpUrl: rabbitmq!.server.url, about },
            areOnDisk: (queues) => secured(rabbitmq!.server, queues),
            doubt: () => rabbitmq!.server.doubts.add(),
          }
  return {
    databases,
    queue,
    servers: { postgres, rabbitmq },
    async stop() {
      await rabbitmq?.stop()
      await postgres?.stop()
    },
    kill() {
      rabbitmq?.kill('SIGKILL')
      // Postgres' immediate shutdown: all its processes end at once, and its log has what was committed.
      postgres?.kill('SIGQUIT')
    },
  }
}

type QueuePlan = { about: string } & (
  | { kind: 'given'; url: string }
  | { kind: 'node' }
  | { kind: 'postgres' }
)

function planQueue(choice: QueueChoice | undefined, env: NodeJS.ProcessEnv): QueuePlan {
  if (choice === 'postgres') return { kind: 'postgres', about: 'a queue in Postgres (--queue postgres)' }
  if (env.AMQP_URL)
    return { kind: 'given', url: env.AMQP_URL, about: 'RabbitMQ (the one that AMQP_URL names)' }
  if (findRabbitmq())
    return { kind: 'node', about: 'RabbitMQ (a private node of the rabbitmq-server found on this machine)' }
  if (choice === 'rabbitmq')
    throw new Error('--queue rabbitmq needs AMQP_URL or a rabbitmq-server on this machine; there is neither')
  return {
    kind: 'postgres',
    about: 'a queue in Postgres (there is no AMQP_URL and no rabbitmq-server on this machine)',
  }
}

interface OpenDatabases {
  databases: Record<string, DatabaseUrls>
  /** Undefined if the environment gives all databases. */
  postgres: KeptAlive<Server> | undefined
  stop(): Promise<void>
}

async function openDatabases(options: BackendsOptions, names: readonly string[]): Promise<OpenDatabases> {
  const { env, root, contexts, onProgress } = options
  const given = names.flatMap((name) => entry(name, givenUrls(name, env)))
  const missing = names.filter((name) => !given.some(([known]) => known === name))
  if (missing.length === 0) await stopLeftoverPostgres(join(options.dataDir, 'postgres'))
  const postgres = missing.length > 0 ? await ownPostgres(options, missing) : undefined
  const databases = { ...Object.fromEntries(given), ...postgres?.server.urls }
  const stop = async () => postgres?.stop()
  try {
    await Promise.all(
      contexts.map((context) => migrateContext(root, context, databases[context]!, onProgress)),
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { databases, postgres, stop }
}

async function ownPostgres({ dataDir, secrets, log, onProgress }: BackendsOptions, names: string[]) {
  onProgress('Postgres is starting')
  const start = async (port?: number) => {
    const { server, urls } = await startDatabases({ dataDir, names, secrets, onProgress, port })
    const { pid, exited } = server
    watch({
      ...{ name: 'Postgres', exited, log },
      answers: () => postgresAnswers(server.port),
      end: () => killWithChildren(pid),
    })
    return { ...server, urls }
  }
  const postgres = await keepAlive('Postgres', start, log)
  onProgress(`Postgres is ready, with databases ${names.join(', ')}`)
  return postgres
}

async function ownRabbitmq(options: BackendsOptions) {
  const { log, onProgress } = options
  onProgress('RabbitMQ is starting')
  const start = async (port?: number) => {
    const node = await startRabbitmq({ dataDir: rabbitmqFolder(options), onProgress, ...(port && { port }) })
    const { url, pid, exited } = node
    const doubts = new Doubts()
    watch({
      ...{ name: 'RabbitMQ', exited, log },
      answers: async () => {
        const isAnswering = await rabbitmqAnswers(url)
        if (isAnswering) tryKeepingCopies(node)
        return isAnswering && !doubts.areMany
      },
      end: () => killWithChildren(pid),
    })
    return { ...node, doubts }
  }
  const node = await keepAlive('RabbitMQ', start, log)
  onProgress('RabbitMQ is ready')
  return node
}

/** Whether queues are on disk; then copies of their configurations are kept too. */
function secured(node: RabbitmqNode, queues: readonly string[]): boolean {
  if (!node.hasStored(...queues)) return false
  tryKeepingCopies(node)
  return true
}

function tryKeepingCopies(node: RabbitmqNode): void {
  try {
    node.keepCopies()
  } catch {
    // The disk is full. The copies that are there stay, and the next look tries again.
  }
}

const rabbitmqFolder = ({ dataDir }: BackendsOptions): string => join(dataDir, 'rabbitmq')

interface Stoppable {
  stop(): Promise<void>
}

/** Waits for both. If one fails, stops the other, so that nothing is left running. */
async function together<A extends Stoppable, B extends Stoppable | undefined>(
  a: Promise<A>,
  b: Promise<B>,
): Promise<[A, B]> {
  const results = await Promise.allSettled([a, b])
  const failed = results.find((result) => result.status === 'rejected')
  if (!failed) return [await a, await b]
  for (const result of results) if (result.status === 'fulfilled') await result.value?.stop()
  throw failed.reason
}

function entry<Value>(name: string, value: Value | undefined): [string, Value][] {
  return value === undefined ? [] : [[name, value]]
}
