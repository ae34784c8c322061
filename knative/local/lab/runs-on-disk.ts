import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabRun } from '../../../functions/platform/lab/run-schema.ts'
import { privateFolder, remove } from '../data-folder/own-files.ts'

/** Runs that are kept; older ones are removed. */
export const KEPT_MAX = 20

export interface KeptRuns {
  /** Writes what is known of a run. */
  keep(run: LabRun): void
  /** The newest first. */
  list(): LabRun[]
}

/**
 * Opens the runs of a data folder. One that was going on when the bank was killed has ended with it: its
 * faults were the killed process's own, or are undone by the start, which stops what was left running.
 */
export function openKeptRuns(dataDir: string): KeptRuns {
  const folder = privateFolder(join(dataDir, 'lab'))
  const fileOf = (id: string): string => join(folder, `${id}.json`)
  const write = (run: LabRun): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${fileOf(run.id)}.new`, `${JSON.stringify(run, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(`${fileOf(run.id)}.new`, fileOf(run.id))
  }
  const runs = new Map<string, LabRun>()
  for (const name of readdirSync(folder)) {
    const run = read(join(folder, name))
    if (run) runs.set(run.id, run)
    else remove(join(folder, name))
  }
  const sorted = (): LabRun[] =>
    [...runs.values()].sort((one, other) => (one.created_at < other.created_at ? 1 : -1))
  for (const run of runs.values())
    if (run.state !== 'ended') {
      const evidence = [...run.evidence, 'the bank was killed in the middle of the run']
      const ended = { state: 'ended', verdict: 'none', ended_by: 'bank', broken_now: [], evidence } as const
      Object.assign(run, ended, { ended_at: new Date().toISOString() })
      write(run)
    }
  return {
    keep(run) {
      runs.set(run.id, run)
      write(run)
      for (const { id } of sorted().slice(KEPT_MAX)) {
        runs.delete(id)
        remove(fileOf(id))
      }
    },
    list: sorted,
  }
}

/** Undefined if the file was cut short, or is none of a run. */
function read(file: string): LabRun | undefined {
  try {
    const run = JSON.parse(readFileSync(file, 'utf8')) as Partial<LabRun>
    return run.id && run.created_at && run.state && run.evidence ? (run as LabRun) : undefined
  } catch {
    return undefined
  }
}
