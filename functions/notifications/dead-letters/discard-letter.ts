import { define, problem, problems } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Emitting } from '../../host/tools.ts'
import { letterColumns, toLetter, type DeadLetterRow } from './letter.ts'

export const notWaiting = define('dead-letter-not-waiting', 409, 'The dead letter does not wait')

/** Marks a letter as not to be sent. It is kept, and can be redriven later. */
export async function discardLetter(
  tx: Emitting,
  id: string,
  by: { reason: string; userId: string },
): Promise<Reply> {
  const [row] = await tx.query<DeadLetterRow>({
    name: 'dead-letter-discard',
    text: `update dead_letters l set status = 'discarded', discarded_at = now(), discarded_by = $2,
        discard_reason = $3, is_queued = false
      where id = $1 and status = 'stored' returning ${letterColumns}`,
    values: [id, by.userId, by.reason],
  })
  if (row) return { status: 200, body: toLetter(row) }
  const [other] = await tx.query<{ status: string }>({
    name: 'dead-letter-status',
    text: 'select status from dead_letters where id = $1',
    values: [id],
  })
  if (!other) return problem(problems.notFound, `There is no dead letter ${id}.`)
  return problem(notWaiting, `It is ${other.status}; only one that is stored can be discarded.`)
}
