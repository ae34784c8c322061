import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openProcessRecords } from '../../knative/local/processes/leftovers.ts'
import { openSecrets } from '../../knative/local/secrets.ts'
import type { Bench, Ratio } from '../bench.ts'
import { load } from '../load.ts'
import { nameOfNode } from '../nodes.ts'
import { startServer, type ServerProcess } from '../processes.ts'
import { inTurns, median, type Measurement } from '../rounds.ts'
import { figure } from '../table.ts'

const CLIENTS = 16
const GOAL = 1.5
/** A transfer, as its customer sends it. */
const BODY = JSON.stringify({
  type: 'transfer',
  account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
  to_account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e34',
  amount: '1.00',
  description: 'thirty characters of reference',
})
const TOKEN = randomBytes(375).toString('base64url')

/** Processor time that the front door and the local gateway add to a request, against a proxy of node:http
 * that pipes both ways. On each Node. */
export const hop: Ratio = {
  id: 'hop',
  needs: ['wrk'],
  async run(bench) {
    const measured: Measurement[] = []
    for (const node of bench.nodes) {
      const upstream = await startServer(bench, { script: join(bench.folder, 'upstream.cjs'), env: {}, node })
      measured.push(
        await measureHop(bench, node, {
          id: 'front-door',
          name: 'front door',
          proxyOf: upstream,
          start: () => startFrontDoor(bench, node, upstream),
        }),
        await measureHop(bench, node, {
          id: 'gateway',
          name: 'gateway',
          proxyOf: upstream,
          start: () => startGateway(bench, node),
        }),
      )
      await upstream.kill()
    }
    return measured
  },
}

interface Hop {
  id: string
  name: string
  start(): Promise<ServerProcess>
  /** What the floor is a proxy of. */
  proxyOf: ServerProcess
}

async function measureHop(bench: Bench, node: string, hop: Hop): Promise<Measurement> {
  const [count, seconds, warmupSeconds] = bench.isQuick ? [1, 2, 1] : [3, 3, 1]
  const version = nameOfNode(node)
  const measure = async (server: ServerProcess) => {
    const { serverCpuSeconds, perSecond } = await load(bench, {
      url: `${server.url}/api/transactions`,
      connections: CLIENTS,
      warmupSeconds,
      seconds,
      body: BODY,
      token: TOKEN,
      serverPid: server.pid,
    })
    await server.kill()
    return { perSecond, microseconds: serverCpuSeconds * 1e6 }
  }
  const rounds = await inTurns(
    count,
    async (round) => {
      bench.progress.step(`hop, ${version}: round ${round + 1} of ${count}, the ${hop.name}`)
      return measure(await hop.start())
    },
    async () => {
      bench.progress.step(`hop, ${version}: a bare proxy`)
      const env = { UPSTREAM_PORT: String(hop.proxyOf.port) }
      return measure(await startServer(bench, { script: join(bench.folder, 'proxy.cjs'), env, node }))
    },
  )
  return {
    id: `hop-${hop.id}-${version.toLowerCase().replace(' ', '')}`,
    name: `Hop through the ${hop.name}, ${version} : a proxy`,
    unit: 'µs CPU/request',
    goal: { ratio: GOAL, better: 'lower' },
    rounds: rounds.map(({ ours, floor }) => ({ ours: ours.microseconds, floor: floor.microseconds })),
    notes: [
      `${CLIENTS} clients: ${rateOf(rounds.map(({ ours }) => ours))} requests a second, ${rateOf(rounds.map(({ floor }) => floor))} through the proxy`,
    ],
  }
}

const rateOf = (measured: { perSecond: number }[]): string =>
  figure(median(measured.map(({ perSecond }) => perSecond)))

/** Starts the front door in front of `upstream`, with the environment that its Service gives it. */
function startFrontDoor(bench: Bench, node: string, upstream: ServerProcess): Promise<ServerProcess> {
  const dataDir = join(bench.folder, 'hop')
  mkdirSync(dataDir, { recursive: true })
  const secrets = openSecrets(dataDir, [])
  return startServer(bench, {
    script: join(bench.root, 'dist/functions/front-door.cjs'),
    env: {
      K_SERVICE: 'front-door',
      K_CONFIGURATION: 'front-door',
      K_REVISION: 'front-door-00001',
      LOCAL_GATEWAY: `127.0.0.1:${upstream.port}`,
      ...secrets.configMaps().get('token-keys'),
      ...secrets.secrets({}).get('front-door-key'),
    },
    node,
  })
}

/** Starts the local runtime with the upstream as its only function. */
async function startGateway(bench: Bench, node: string): Promise<ServerProcess> {
  const root = join(bench.folder, 'hop')
  const services = join(root, 'knative/services')
  mkdirSync(services, { recursive: true })
  writeFileSync(join(services, 'front-door.yaml'), SERVICE)
  const dataDir = join(root, 'data')
  const server = await startServer(bench, {
    script: join(bench.folder, 'gateway.cjs'),
    env: { ROOT: root, BUNDLES: bench.folder, DATA: dataDir },
    node,
  })
  const kill = async (): Promise<void> => {
    await server.kill()
    // The runtime could not end its function.
    await openProcessRecords(dataDir).stopLeftovers()
    rmSync(root, { recursive: true, force: true })
  }
  bench.undo.add(kill)
  return { ...server, kill }
}

const SERVICE = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: front-door, namespace: bank }
spec:
  template:
    spec:
      containerConcurrency: 0
      containers:
        - { image: upstream, args: [upstream] }
`
