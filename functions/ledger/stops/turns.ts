import type { Tools } from '../../host/tools.ts'

/** A job of a sweep, and its share of the sweep's time. It is given the share, and begins nothing after
 * it. */
export interface SweepJob {
  name: string
  timeMs: number
  run(timeMs: number): Promise<void>
}

// What a job has begun by the end of its share may take a moment.
const OVERTIME_MS = 2_000

/** Runs jobs one after the other, in the order in which they had their last turns; in the given order if they
 * never had one. After `timeMaxMs` no other job begins: the next sweep begins with those that had no turn. A
 * job that does not keep its share goes on beside the others, and is no longer waited for. A job that fails
 * keeps no other from its turn; then this rejects with the first error in the end. */
export async function runInTurn(
  { db, log }: Pick<Tools, 'db' | 'log'>,
  jobs: readonly SweepJob[],
  timeMaxMs: number,
  overtimeMs = OVERTIME_MS,
): Promise<void> {
  const endsAt = performance.now() + timeMaxMs
  const rows = await db.query<{ job: string; n: bigint }>({ text: 'select job, n from sweep_turns' })
  const lastTurns = new Map(rows.map(({ job, n }) => [job, Number(n)]))
  const lastTurn = ({ name }: SweepJob): number => lastTurns.get(name) ?? 0
  const errors: Error[] = []
  for (const job of [...jobs].sort((a, b) => lastTurn(a) - lastTurn(b))) {
    await db.query({ text: 'select take_turn($1)', values: [job.name] })
    const done = job.run(job.timeMs).catch((error: Error) => void errors.push(error))
    if (await lasts(done, job.timeMs + overtimeMs))
      log.warn('a job of the sweep takes longer than its share', { job: job.name, share_ms: job.timeMs })
    if (performance.now() >= endsAt) break
  }
  if (errors.length > 0) throw errors[0]!
}

/** Resolves with true as soon as something lasts longer than `timeMs`, else with false when it ends. */
function lasts(something: Promise<void>, timeMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(true), timeMs)
    something.then(() => resolve(false), reject).finally(() => clearTimeout(timer))
  })
}
