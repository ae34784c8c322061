// npm run monitor: starts what this machine has of Prometheus, Alertmanager, node_exporter and Grafana, for
// the bank that runs here. Ctrl-C ends them all; what they have seen stays in the data folder.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { claimFolder, folderIdentity } from './claim.mjs'
import { writeGrafana, writePrometheus } from './configuration.mjs'
import { isOpen, openPassage } from './passage.mjs'
import { findProgram, freePort, startProgram } from './programs.mjs'

const rules = join(fileURLToPath(import.meta.url), '../../rules')
const USAGE = `npm run monitor -- [options]

  --data .microbank   data folder of the bank to watch
  --at-once           alerts fire as soon as they are true: to try them
  --help              shows this`
const { data, atOnce } = readOptions()
const dataDir = resolve(data)
const folder = join(dataDir, 'monitoring')
/** Where the bank looks for the Prometheus that watches it (knative/local/gateway/prometheus.ts). */
const announcement = join(folder, 'prometheus.json')

/** Returns the options that were given. Ends after the help, or if they are wrong. */
function readOptions() {
  try {
    const data = /** @type {const} */ ({ type: 'string', default: '.microbank' })
    const help = /** @type {const} */ ({ type: 'boolean', short: 'h' })
    const once = /** @type {const} */ ({ type: 'boolean', default: false })
    const { values } = parseArgs({ options: { data, help, 'at-once': once } })
    if (!values.help) return { data: values.data, atOnce: values['at-once'] }
    console.log(USAGE)
    return process.exit(0)
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`)
    return process.exit(1)
  }
}

/**
 * What the bank that uses the data folder says of itself; undefined if none runs.
 * @returns {{ url: string, port: number, internalPort: number } | undefined}
 */
function runningBank() {
  try {
    const told = JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8'))
    return Number.isInteger(told?.internalPort) ? told : undefined
  } catch {
    return undefined
  }
}

/** Throws if somebody else's data folder was given. */
function checkFolder() {
  try {
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code !== 'ENOENT') throw new Error(`You may not write to ${dataDir} (${code}).`, { cause: error })
  }
}

/** @type {import('./programs.mjs').Running[]} */
const running = []
/** @type {string[]} */
const missing = []

/**
 * Starts a program on its port or the next, if this machine has it. Resolves with the port.
 * @param {{ name: string, programs: string[], port: number, install: string }} tool
 * @param {(port: number) => { args: string[], env?: Record<string, string> }} how
 * @returns {Promise<number | undefined>}
 */
async function start({ name, programs, port: wanted, install }, how) {
  const path = findProgram(...programs)
  if (path === undefined) return void missing.push(`  ${name.padEnd(14)} ${install}`)
  const port = await freePort(wanted)
  const { args, env } = how(port)
  running.push(startProgram(name, path, args, env))
  console.log(`  ${name.padEnd(14)} http://127.0.0.1:${port}`)
  return port
}

const startAlertmanager = () =>
  start(
    {
      name: 'Alertmanager',
      programs: ['prometheus-alertmanager', 'alertmanager'],
      port: 9093,
      install: 'apt install prometheus-alertmanager, or brew install alertmanager',
    },
    (port) => ({
      args: [
        `--config.file=${join(rules, 'alertmanager.yaml')}`,
        `--storage.path=${join(folder, 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        // It would look for others of its kind.
        '--cluster.listen-address=',
      ],
    }),
  )

const startNodeExporter = () =>
  start(
    {
      name: 'node_exporter',
      programs: ['prometheus-node-exporter', 'node_exporter'],
      port: 9100,
      install: 'apt install prometheus-node-exporter, or brew install node_exporter',
    },
    (port) => ({ args: [`--web.listen-address=127.0.0.1:${port}`] }),
  )

const startPrometheus = (/** @type {import('./configuration.mjs').Neighbours} */ neighbours) =>
  start(
    {
      name: 'Prometheus',
      programs: ['prometheus'],
      port: 9090,
      install: 'apt install prometheus, or brew install prometheus',
    },
    (port) => {
      const file = join(folder, 'prometheus.yml')
      writePrometheus(file, neighbours, atOnce)
      return {
        args: [
          `--config.file=${file}`,
          `--storage.tsdb.path=${join(folder, 'prometheus')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--enable-feature=exemplar-storage',
        ],
      }
    },
  )

/** Where packages put the files of its pages. */
const GRAFANA_HOMES = [
  '/usr/share/grafana',
  '/opt/homebrew/opt/grafana/share/grafana',
  '/usr/local/opt/grafana/share/grafana',
]

const startGrafana = (/** @type {{ bank: number, prometheus: number }} */ ports) =>
  start(
    {
      name: 'Grafana',
      programs: ['grafana'],
      port: 3000,
      install: 'https://grafana.com/docs/grafana/latest/setup-grafana/installation, or brew install grafana',
    },
    (port) => {
      const home = GRAFANA_HOMES.find((place) => existsSync(place))
      const provisioning = join(folder, 'grafana/provisioning')
      writeGrafana(provisioning, ports)
      return {
        args: ['server', ...(home ? [`--homepath=${home}`] : [])],
        env: {
          GF_PATHS_PROVISIONING: provisioning,
          GF_PATHS_DATA: join(folder, 'grafana/data'),
          GF_PATHS_LOGS: join(folder, 'grafana/logs'),
          GF_SERVER_HTTP_ADDR: '127.0.0.1',
          GF_SERVER_HTTP_PORT: String(port),
          // Whoever reaches the port is at this machine, and reads.
          GF_AUTH_ANONYMOUS_ENABLED: 'true',
          GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
          GF_AUTH_DISABLE_LOGIN_FORM: 'true',
          GF_ANALYTICS_REPORTING_ENABLED: 'false',
          GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
          GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
          GF_PLUGINS_PREINSTALL_DISABLED: 'true',
        },
      }
    },
  )

const NOT_FOUND = 'Not found on this machine (without root, a program in any folder of your PATH will do):'

async function main() {
  checkFolder()
  const bank = runningBank()
  // A bank that was killed leaves what it said of itself.
  if (!bank || !(await isOpen(bank.internalPort)))
    throw new Error(`No bank runs with ${dataDir}. Start it first: npm start`)
  const told = untilTold()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const itself = { pid: process.pid, folder: folderIdentity(dataDir) }
  const passage = await openPassage(
    () => runningBank()?.internalPort,
    () => ({ ...itself, prometheus: prometheusUrl }),
  )
  /** @type {(() => void) | undefined} */
  let giveUp
  try {
    giveUp = await claimFolder(folder, { ...itself, port: passage.port })
    // A monitor that was killed may have left it.
    rmSync(announcement, { force: true })
    console.log(`Watching the bank at ${bank.url}:`)
    const hasPrometheus = await startAll(bank.port, passage.port)
    if (missing.length > 0) console.log(`${NOT_FOUND}\n${missing.join('\n')}`)
    if (!hasPrometheus) throw new Error('Without Prometheus there is nothing to see.')
    console.log('Ctrl-C ends them all.')
    await Promise.race([told, ...running.map(failAtEnd)])
  } finally {
    if (giveUp) rmSync(announcement, { force: true })
    for (const program of running) program.stop()
    await Promise.all(running.map(({ ended }) => ended))
    giveUp?.()
    passage.close()
  }
}

/** Where Prometheus is; undefined until it is started.
 * @type {string | undefined} */
let prometheusUrl

/**
 * Tells the bank where its Prometheus is. In a copy of the data folder the file means nothing.
 * @param {number} port
 */
function announce(port) {
  prometheusUrl = `http://127.0.0.1:${port}`
  const text = JSON.stringify({ port, pid: process.pid, folder: folderIdentity(dataDir) })
  writeFileSync(announcement, text, { mode: 0o600 })
}

/** Resolves with whether Prometheus was started. */
async function startAll(/** @type {number} */ bank, /** @type {number} */ passage) {
  const alertmanager = await startAlertmanager()
  const node = await startNodeExporter()
  const prometheus = await startPrometheus({
    passage,
    ...(alertmanager && { alertmanager }),
    ...(node && { node }),
  })
  if (prometheus) {
    announce(prometheus)
    await startGrafana({ bank, prometheus })
  }
  return prometheus !== undefined
}

/** Resolves at Ctrl-C, or if the terminal closes. Prometheus would stay: at SIGHUP it reads its settings. */
const untilTold = () =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve(undefined))
  })

/** Throws, with what it said, when a program ends by itself. */
async function failAtEnd(/** @type {import('./programs.mjs').Running} */ { name, ended }) {
  const said = await ended
  throw new Error(`${name} has ended:\n${said}`)
}

main().then(
  () => process.exit(0),
  (error) => {
    const isFull = ['ENOSPC', 'EDQUOT'].includes(error.code)
    console.error(isFull ? `The disk of ${dataDir} is full. Make room, and start again.` : error.message)
    process.exit(1)
  },
)
