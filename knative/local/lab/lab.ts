import { execFile } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { GivenFault } from '../../../functions/platform/lab/faults.ts'
import { invariantIds, SEED_MAX, summaryOf, type LabRun } from '../../../functions/platform/lab/run-schema.ts'
import { createClient } from '../../../functions/web/client/index.ts'
import type { DatabaseUrls } from '../servers/databases.ts'
import { beginFaults, impossible } from './faults.ts'
import { openOracle } from './oracle.ts'
import { createRandom } from './random.ts'
import { Run, type RunParts } from './run.ts'
import { openKeptRuns, type KeptRuns } from './runs-on-disk.ts'
import { runTraffic } from './traffic.ts'
import type { LabWorld } from './world.ts'

export interface LabParts {
  /** The folder of the repository. */
  root: string
  dataDir: string
  /** The front door's address. */
  url: string
  databases: Readonly<Record<string, DatabaseUrls>>
  world: LabWorld
}

/** What a run is to do. Its figures are within the bounds of the API, which has checked them. */
export interface WantedRun {
  scenario: LabRun['scenario']
  faults: GivenFault[]
  traffic: LabRun['traffic']
  seconds: number
  seed?: number
  started_by: string
}

export type StartedRun = { kind: 'started'; run: LabRun } | { kind: 'busy'; run: LabRun } | Impossible
interface Impossible {
  kind: 'impossible'
  /** The fault's place in the list. */
  index: number
  why: string
}

const USERS = 3

/** Runs of faults against the bank that this process runs: one at a time. */
export class Lab {
  readonly #parts: LabParts
  readonly #kept: KeptRuns
  #current: Run | undefined

  constructor(parts: LabParts) {
    this.#parts = parts
    this.#kept = openKeptRuns(parts.dataDir)
  }

  /** All runs that are known, the newest first. */
  list(): ReturnType<typeof summaryOf>[] {
    return this.#kept.list().map((run) => summaryOf(this.#live(run)))
  }

  find(id: string): LabRun | undefined {
    const run = this.#kept.list().find((kept) => kept.id === id)
    return run && this.#live(run)
  }

  async start(wanted: WantedRun): Promise<StartedRun> {
    const { root } = this.#parts
    const busy = this.#busy
    if (busy) return { kind: 'busy', run: busy.report }
    for (const [index, fault] of wanted.faults.entries()) {
      const why = impossible(fault, this.#parts.world)
      if (why !== undefined) return { kind: 'impossible', index, why }
    }
    const run = newRun(wanted, versionOf(root))
    // First, so that a run that can't be written is not begun.
    this.#kept.keep(run)
    this.#current = new Run(run, this.#runParts(run.seed))
    run.commit = await commitOf(root)
    return { kind: 'started', run: this.#current.report }
  }

  /** Stops a run: when this returns, none of its faults is left. Undefined if there is no such run. */
  stop(id: string): LabRun | undefined {
    if (this.#current?.report.id === id) this.#current.stop()
    return this.find(id)
  }

  /** Ends what goes on, because the bank stops. */
  async close(): Promise<void> {
    await this.#current?.breakOff()
  }

  get #busy(): Run | undefined {
    return this.#current && this.#current.report.state !== 'ended' ? this.#current : undefined
  }

  #live(run: LabRun): LabRun {
    return this.#current?.report.id === run.id ? this.#current.report : run
  }

  #runParts(seed: number): RunParts {
    const { databases, world, url } = this.#parts
    return {
      oracle: openOracle(databases),
      beginFaults: (options) => beginFaults(world, options),
      sendTraffic: (options) =>
        runTraffic(() => createClient({ url }), {
          ...options,
          ...{ count: Infinity, users: USERS, onProgress: () => {} },
          random: createRandom(seed, 'traffic'),
        }),
      keep: (run) => this.#kept.keep(run),
    }
  }
}

function newRun({ seed, ...wanted }: WantedRun, version: string): LabRun {
  return {
    id: randomUUID(),
    ...{ state: 'preparing', verdict: null, ended_by: null },
    ...wanted,
    seed: seed ?? randomInt(SEED_MAX),
    ...{ version, commit: null, created_at: new Date().toISOString(), began_at: null, ended_at: null },
    counts: {
      ...{ moved: 0, refused: 0, repeated: 0, unanswered: 0, deliveries: 0, took_effect: 0 },
      ...{ dead_letters: 0, lost: 0, doubled: 0, faults: 0 },
    },
    invariants: invariantIds.map((id) => ({ id, state: 'unknown', checked_at: null, found: '' })),
    ...{ broken_now: [], story: [], evidence: [] },
  }
}

/** A runtime that runs other functions than the bank's has no package.json. */
function versionOf(root: string): string {
  const file = join(root, 'package.json')
  if (!existsSync(file)) return '0.0.0'
  return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version ?? '0.0.0'
}

/** Null if the folder is no Git repository, or there is no git. */
const commitOf = (root: string): Promise<string | null> =>
  promisify(execFile)('git', ['-C', root, 'rev-parse', 'HEAD'], { timeout: 5_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )
