import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { FormatConfig } from 'oxfmt'
import { openProcessRecords } from '../knative/local/processes/leftovers.ts'
import { lockDataFolder } from '../knative/local/data-folder/lock.ts'
import { createUndo, type Undo } from '../knative/local/processes/undo.ts'
import { createLog } from '../monitoring/log.ts'
import type { Bench, Ratio } from './bench.ts'
import { provide, type Program } from './programs.ts'
import { createProgress } from './progress.ts'
import { backlog } from './ratios/backlog.ts'
import { batch } from './ratios/batch.ts'
import { bytes } from './ratios/bytes.ts'
import { coldStart } from './ratios/cold-start.ts'
import { event } from './ratios/event.ts'
import { events } from './ratios/events.ts'
import { firstAnswer } from './ratios/first-answer.ts'
import { firstPaint } from './ratios/first-paint.ts'
import { frontDoor } from './ratios/front-door.ts'
import { growth } from './ratios/growth.ts'
import { guard } from './ratios/guard.ts'
import { holds } from './ratios/holds.ts'
import { hop } from './ratios/hop.ts'
import { hostCpu } from './ratios/host-cpu.ts'
import { hotAccount } from './ratios/hot-account.ts'
import { loneRequest } from './ratios/lone-request.ts'
import { memory } from './ratios/memory.ts'
import { sustained } from './ratios/sustained.ts'
import { transfers } from './ratios/transfers.ts'
import { summarise, type Result } from './rounds.ts'
import { soak, type SoakOptions } from './soak/soak.ts'
import { soakTable } from './soak/soak-table.ts'
import { toSvg } from './svg.ts'
import { toTable } from './table.ts'

const RATIOS: readonly Ratio[] = [
  frontDoor,
  hop,
  sustained,
  event,
  firstAnswer,
  bytes,
  transfers,
  batch,
  hotAccount,
  holds,
  hostCpu,
  coldStart,
  memory,
  events,
  backlog,
  growth,
  guard,
  loneRequest,
  firstPaint,
]

const SOAK = 'soak'
const SOAK_NEEDS: readonly Program[] = ['rabbitmq-server', 'wrk']

const HELP = `Measures the bank against its floors, prints a table, and writes bench/results.json and bench/results.svg.

  npm run bench -- [${RATIOS.map(({ id }) => id).join(' | ')}] ... [--quick] [--peer] [--node path]
  npm run bench -- soak [--minutes 30] [--seed number] [--quick] [--node path]

  soak      half of the greatest rate at which events don't pile up, for half an hour, in which a process is
            killed every minute; writes bench/soak.json
  --quick   short rounds, for development: the figures mean little, and no file is written
  --peer    also what one would build without us, against TPC-B: Express, SELECT FOR UPDATE
  --node    a Node on which the whole bank is measured, besides 24; by default the one that runs npm`

const log = createLog({ service: 'bench' }, 'error', (line) => void process.stderr.write(line))

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      peer: { type: 'boolean' },
      node: { type: 'string', default: process.execPath },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(HELP)
  const isSoak = positionals[0] === SOAK && positionals.length === 1
  const soakOptions = toSoakOptions(values, isSoak)
  const chosen = isSoak ? [] : choose(positionals)
  const progress = createProgress()
  provide(isSoak ? SOAK_NEEDS : chosen.flatMap(({ needs }) => needs), progress.say)

  const root = process.cwd()
  const folder = join(root, '.microbank/bench')
  const release = lockDataFolder(folder)
  const setting = {
    ...{ root, folder, progress },
    isQuick: values.quick ?? false,
    withPeer: values.peer ?? false,
    nodes: [...new Set([values.node, process.execPath])],
  }
  const results: Result[] = []
  try {
    for (const left of await openProcessRecords(folder).stopLeftovers())
      progress.say(`stopped ${left}, which an earlier bench left running`)
    if (isSoak) return await soakFor(soakOptions, setting)
    for (const ratio of chosen) results.push(...(await measure(ratio, setting)))
  } finally {
    release()
  }
  console.log(`\n${toTable(results)}\n`)
  // Some results must not replace all results.
  if (setting.isQuick || positionals.length > 0) return
  await writeResults(root, results)
  console.log('written: bench/results.json and bench/results.svg')
}

/** Returns how long a soak lasts, and which processes it kills. Throws for an option that means nothing. */
function toSoakOptions({ minutes, seed }: { minutes?: string; seed?: string }, isSoak: boolean): SoakOptions {
  if (!isSoak && (minutes ?? seed) !== undefined) throw new Error('--minutes and --seed are for soak')
  const [length, chosen] = [Number(minutes ?? 30), Number(seed ?? randomInt(2 ** 31))]
  if (!(length > 0 && length <= 24 * 60))
    throw new Error(`--minutes must be above 0 and at most a day's 1440`)
  if (!Number.isSafeInteger(chosen) || chosen < 0) throw new Error('--seed must be a whole number')
  return { minutes: length, seed: chosen }
}

async function soakFor(options: SoakOptions, setting: Omit<Bench, 'undo'>): Promise<void> {
  const minutes = setting.isQuick ? 2 : options.minutes
  const result = await undone((undo) => soak({ ...setting, undo }, { ...options, minutes }))
  console.log(`\n${soakTable(result)}\n`)
  if (setting.isQuick) return
  await writeJson(setting.root, 'bench/soak.json', result)
  console.log('written: bench/soak.json')
}

async function writeResults(root: string, results: readonly Result[]): Promise<void> {
  await writeJson(root, 'bench/results.json', results)
  writeFileSync(join(root, 'bench/results.svg'), toSvg(results))
}

/** Writes a file that is formatted like every other file of the repository. */
async function writeJson(root: string, file: string, content: unknown): Promise<void> {
  const settings = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatConfig
  const { format } = await import('oxfmt')
  const { code } = await format(file, JSON.stringify(content, undefined, 2), settings)
  writeFileSync(join(root, file), code)
}

function choose(ids: readonly string[]): readonly Ratio[] {
  if (ids.length === 0) return RATIOS
  return ids.map((id) => {
    const found = RATIOS.find((ratio) => ratio.id === id)
    if (!found) throw new Error(`no ratio '${id}'; there are ${RATIOS.map((ratio) => ratio.id).join(', ')}`)
    return found
  })
}

async function measure(ratio: Ratio, setting: Omit<Bench, 'undo'>): Promise<Result[]> {
  const startedAt = performance.now()
  const results = (await undone((undo) => ratio.run({ ...setting, undo }))).map(summarise)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  for (const { name, ratio: value } of results)
    setting.progress.say(`${name}: ${value.toFixed(2)} (${seconds} s)`)
  return results
}

/** Runs a measurement, and undoes what it has started when it ends, fails or is interrupted. */
async function undone<Done>(run: (undo: Undo) => Promise<Done>): Promise<Done> {
  const undo = createUndo(log)
  const stop = (): void => void undo.run().finally(() => process.exit(130))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await run(undo)
  } finally {
    await undo.run()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`bench: ${error.message}`)
    process.exit(1)
  },
)
