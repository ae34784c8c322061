import { documentDeleted } from '../../eventing/contracts/document.deleted.ts'
import type { Transaction } from '../host/database/database.ts'
import { problem } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Tools } from '../host/tools.ts'
import { documentProblems } from './refusals.ts'
import { letGo, type Stores } from './stores/stores.ts'

const DOCUMENTS_AT_ONCE = 20

interface DeletedRow {
  id: string
  user_id: string
  file_id: string | null
  thumbnail_id: string | null
}

/** Returns the refusal (403) if a user has left the bank, and undefined if not. Their access token stays
 * valid for some minutes. */
export async function leftRefusal(tx: Transaction, userId: string): Promise<Reply | undefined> {
  const [row] = await tx.query({
    name: 'customer-has-left',
    text: 'select from left_customers where user_id = $1',
    values: [userId],
  })
  return row && problem(documentProblems.customerLeft, 'There is no such customer any more.')
}

/** Deletes the documents of customers who left, filed statements too: the ledger has the books, and can make
 * the same statement again. No step begins after `endsAt`; what is left then waits for the next sweep. */
export async function forgetLeft(
  { db, log, transact }: Pick<Tools, 'db' | 'log' | 'transact'>,
  stores: Stores,
  traceparent: string,
  endsAt: number,
): Promise<void> {
  let forgotten = 0
  for (let step = DOCUMENTS_AT_ONCE; step === DOCUMENTS_AT_ONCE && performance.now() < endsAt;) {
    const { files, count } = await transact(traceparent, async (tx) => {
      const rows = await tx.query<DeletedRow>({
        name: 'documents-of-left',
        text: `delete from documents where id = any (array(
            select d.id from left_customers l join documents d on d.user_id = l.user_id
            where l.forgotten_at is null
            order by l.left_at limit ${DOCUMENTS_AT_ONCE} for update of d skip locked
          ))
          returning id, user_id, file_id, thumbnail_id`,
      })
      const ids = rows.flatMap(({ file_id, thumbnail_id }) => [file_id, thumbnail_id])
      await letGo(tx, ids)
      for (const { id, user_id } of rows)
        tx.emit(documentDeleted, {
          ...{ subject: id, partitionkey: user_id },
          data: {
            // They left, and so have deleted all that was theirs.
            ...{ document_id: id, user_id, deleted_by: user_id, timestamp: new Date().toISOString() },
          },
        })
      return { files: ids, count: rows.length }
    })
    // Those that are left are dead, and the sweep removes them.
    for (const id of files) if (performance.now() < endsAt) await stores.remove([id])
    step = count
    forgotten += count
  }
  if (forgotten > 0) log.info('deleted documents of customers who left', { forgotten })
  await db.query({
    name: 'left-customers-forgotten',
    text: `update left_customers l set forgotten_at = now()
      where l.forgotten_at is null and l.left_at < now() - interval '1 hour'
        and not exists (select from documents d where d.user_id = l.user_id)`,
  })
}
