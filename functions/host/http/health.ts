import { hasDatabase } from '../../contexts.ts'
import type { Operation } from '../operation.ts'
import type { Reply } from '../reply.ts'
import type { Tools } from '../tools.ts'

/** Returns the health of this function and its database: 200 if the database answers, otherwise 503. */
export async function health({ name, context }: Operation, { db }: Tools): Promise<Reply> {
  if (!hasDatabase(context)) return { status: 200, body: { status: 'ok', function: name, context } }
  const answers = await db.query({ text: 'select 1' }).then(
    () => true,
    () => false,
  )
  return {
    status: answers ? 200 : 503,
    body: {
      status: answers ? 'ok' : 'unavailable',
      function: name,
      context,
      database: answers ? 'ok' : 'unavailable',
    },
  }
}
