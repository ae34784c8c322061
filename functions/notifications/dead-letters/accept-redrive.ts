import { problem, problems, define, ProblemError } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Emitting } from '../../host/tools.ts'
import { emitRedriveDue, redriveColumns, toRedrive, type RedriveRow } from './redrive.ts'

/** Most letters of one redrive. Of a larger group it takes the oldest. */
const LETTERS_MAX = 10_000
/** Most redrives that run at once. They take turns of some seconds. With more, one would wait so long for its
 * turn that a sweep takes it up as abandoned. */
const RUNNING_MAX = 50

export const underWay = define('redrive-under-way', 409, 'A redrive of these dead letters is under way')
export const nothingToRedrive = define('nothing-to-redrive', 409, 'No dead letter of this group waits')

export const tooManyRedrives = define('too-many-redrives', 409, 'Too many redrives are under way')

export interface AskedRedrive {
  group?: string
  ids?: readonly string[]
  per_second: number
}

/** Throws a ProblemError (400) unless the request names either a group or letters. */
export function checkAsked({ group, ids }: AskedRedrive): void {
  if ((group === undefined) === (ids === undefined))
    throw new ProblemError(problems.invalidInput, 'A redrive is of one group, or of letters by their ids.', {
      errors: [{ path: '', message: 'must have either group or ids' }],
    })
}

/** Begins a redrive, in the transaction `tx`. No letter is in two of them. */
export async function acceptRedrive(tx: Emitting, asked: AskedRedrive, callerId: string): Promise<Reply> {
  // One after the other, so that each sees which letters those before have taken.
  await tx.query({
    name: 'dead-letters-redrive-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('redrives of dead letters', 0))`,
  })
  const found = asked.group ? await ofGroup(tx, asked.group) : await named(tx, asked.ids!)
  if (!Array.isArray(found)) return found
  const running = await tx.query({
    name: 'dead-letters-redrives-running',
    text: `select from dead_letter_redrives where status = 'running' limit ${RUNNING_MAX}`,
  })
  if (running.length === RUNNING_MAX)
    return problem(tooManyRedrives, `${RUNNING_MAX} are under way. Wait for one, or stop it.`)
  const [redrive] = await tx.query<{ id: string; turn: number }>({
    name: 'dead-letters-redrive-insert',
    text: `insert into dead_letter_redrives (group_id, requested_by, per_second, total) values ($1, $2, $3, $4)
      returning id, turn`,
    values: [asked.group ?? null, callerId, asked.per_second, found.length],
  })
  await tx.query({
    name: 'dead-letters-queue',
    text: 'update dead_letters set redrive_id = $1, is_queued = true, tries = 0 where id = any ($2)',
    values: [redrive!.id, found],
  })
  emitRedriveDue(tx, redrive!)
  const [row] = await tx.query<RedriveRow>({
    name: 'dead-letters-redrive-read',
    text: `select ${redriveColumns} from dead_letter_redrives r where id = $1`,
    values: [redrive!.id],
  })
  return {
    status: 202,
    headers: { location: `/api/dead-letter-redrives/${row!.id}` },
    body: toRedrive(row!),
  }
}

/** Returns the ids of the letters of a group that wait for nobody yet, or a refusal. */
async function ofGroup(tx: Emitting, group: string): Promise<string[] | Reply> {
  const [known] = await tx.query<{ redrive_id: string | null }>({
    name: 'dead-letters-group-redrive',
    text: `select (select id from dead_letter_redrives where group_id = g.id and status = 'running' limit 1)
        as redrive_id
      from dead_letter_groups g where g.id = $1`,
    values: [group],
  })
  if (!known) return problem(problems.notFound, `There is no group ${group}.`)
  if (known.redrive_id !== null) return isUnderWay(known.redrive_id)
  const letters = await tx.query<{ id: string }>({
    name: 'dead-letters-of-group',
    text: `select id from dead_letters where group_id = $1 and status = 'stored' and not is_queued
      order by id limit ${LETTERS_MAX} for update`,
    values: [group],
  })
  if (letters.length > 0) return letters.map(({ id }) => id)
  return problem(nothingToRedrive, 'All its letters are redriven or discarded, or wait for another redrive.')
}

/** Returns the ids of the letters that were asked for, or a refusal. They may have any status. */
async function named(tx: Emitting, ids: readonly string[]): Promise<string[] | Reply> {
  const letters = await tx.query<{ id: string; queued_for: string | null }>({
    name: 'dead-letters-named',
    text: `select id, case when is_queued then redrive_id end as queued_for from dead_letters
      where id = any ($1) order by id for update`,
    values: [ids],
  })
  const known = new Set(letters.map(({ id }) => id))
  const unknown = ids.find((id) => !known.has(id.toLowerCase()))
  if (unknown !== undefined) return problem(problems.notFound, `There is no dead letter ${unknown}.`)
  const queued = letters.find(({ queued_for: by }) => by !== null)
  return queued ? isUnderWay(queued.queued_for!) : [...known]
}

const isUnderWay = (id: string): Reply =>
  problem(underWay, `The redrive ${id} has not ended. Wait for it, or stop it.`)
