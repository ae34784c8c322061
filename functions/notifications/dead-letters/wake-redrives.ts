import type { Tools } from '../../host/tools.ts'
import { emitRedriveDue } from './redrive.ts'

/** Goes on with redrives that nobody is at: their event was lost, or their process died. */
export async function wakeRedrives(
  { transact }: Pick<Tools, 'transact'>,
  traceparent: string,
): Promise<void> {
  await transact(traceparent, async (tx) => {
    const left = await tx.query<{ id: string; turn: number }>({
      name: 'dead-letters-redrives-wake',
      text: `update dead_letter_redrives set turn = turn + 1, next_at = now()
        where id = any (array(
          select id from dead_letter_redrives where status = 'running'
            and next_at not between now() - interval '1 minute' and now() + interval '1 minute'
          for update skip locked
        ))
        returning id, turn`,
    })
    for (const redrive of left) emitRedriveDue(tx, redrive)
  })
}
