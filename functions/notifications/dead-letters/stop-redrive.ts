import { problem, problems } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Emitting } from '../../host/tools.ts'
import { redriveColumns, toRedrive, type RedriveRow } from './redrive.ts'

/** Stops a redrive: what it has not sent yet waits as before. One that has ended stays as it is. */
export async function stopRedrive(tx: Emitting, id: string): Promise<Reply> {
  // Letters before redrives, as everywhere; else two transactions could deadlock.
  await tx.query({
    name: 'dead-letters-unqueue',
    text: 'update dead_letters set is_queued = false where redrive_id = $1 and is_queued',
    values: [id],
  })
  const stopped = await tx.query({
    name: 'dead-letters-redrive-stop',
    text: `update dead_letter_redrives set status = 'stopped', ended_at = now()
      where id = $1 and status = 'running' returning id`,
    values: [id],
  })
  const [row] = await tx.query<RedriveRow>({
    name: 'dead-letters-redrive-read',
    text: `select ${redriveColumns} from dead_letter_redrives r where id = $1`,
    values: [id],
  })
  if (!row) return problem(problems.notFound, `There is no redrive ${id}.`)
  return {
    status: 200,
    body: toRedrive(row),
    ...(stopped.length === 0 && { about: 'nothing-changed' as const }),
  }
}
