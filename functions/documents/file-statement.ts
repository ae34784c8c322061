import { earlierReply, once } from '../host/database/idempotency.ts'
import { dateOrMoment, readStart } from '../host/moment.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Caller } from '../host/route-request.ts'
import { uuidSchema } from '../host/schema.ts'
import type { Emitting } from '../host/tools.ts'
import { documentSchema, statementFormats, type FiledFormat } from './document.ts'
import { deletedMeanwhile, fileDocument, filedReply, findFiled, roomRefusal, storeAndFile } from './filing.ts'
import { documentProblems, statementProblems } from './refusals.ts'
import type { AskedStatement } from './statements/fetch-statement.ts'
import { createStores, storeSettings, type Stores } from './stores/stores.ts'

/** Files a statement as a document. The ledger makes it, and is asked on the customer's behalf. A period that
 * has ended has the same entries for ever, so whoever asks twice gets the document that is there. Only one
 * that was filed before it was sealed is made again then, because it lacks the bank's signature. */
export default operation({
  name: 'file-statement',
  context: 'documents',
  summary: 'Files the statement of an account as a document',
  needs: [...storeSettings, 'DOCUMENTS_CALL_KEY'],
  state: createStores,
  routes: [
    route({
      method: 'POST',
      path: '/documents/statements',
      who: 'signed-in',
      summary: 'File a statement of a period that has ended; only operators give user_id, and they must',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'from', 'to'],
        properties: {
          account_id: uuidSchema,
          from: dateOrMoment,
          to: dateOrMoment,
          format: { enum: Object.keys(statementFormats) as FiledFormat[], default: 'pdf' },
          user_id: uuidSchema,
        },
      },
      answers: { 200: documentSchema, 201: documentSchema },
      problems: [
        ...[problems.forbidden, documentProblems.limitReached, documentProblems.customerLeft],
        ...Object.values(statementProblems),
      ],
      idempotent: true,
      async handle({ body, caller, client, idempotencyKey, traceparent }, tools, stores: Stores) {
        const asked: AskedStatement = {
          userId: ownerOf(body.user_id, caller),
          accountId: body.account_id.toLowerCase(),
          from: readStart(body.from, '/from', noPeriod),
          to: readStart(body.to, '/to', noPeriod),
          format: body.format,
        }
        const { mediaType } = statementFormats[asked.format]
        const inOnce = (work: (tx: Emitting) => Promise<Reply>): Promise<Reply> =>
          tools.transact(traceparent, (tx) => once(tx, 'file-statement', idempotencyKey, () => work(tx)))
        const replayed = await earlierReply(tools.db, idempotencyKey)
        if (replayed) return replayed
        const answerFiled = (): Promise<Reply> =>
          inOnce(async (tx) => {
            const row = await findFiled(tx, asked, mediaType)
            if (!row) throw deletedMeanwhile()
            return filedReply(row)
          })
        const filed = await findFiled(tools.db, asked, mediaType)
        if (filed && filed.seal !== null) return answerFiled()
        const full = !filed && (await roomRefusal(tools.db, 1, asked.userId, tools.config))
        if (full) return full
        // Every cold start would load this before the port opens.
        const { fetchStatement } = await import('./statements/fetch-statement.ts')
        const made = await fetchStatement(asked, tools.callFor(asked.userId, traceparent, client))
        if ('refusal' in made) return made.refusal
        const { spool, seal } = made
        try {
          if (filed && seal === null) return await answerFiled()
          const file = { mediaType, bytes: spool.bytes, sha256: spool.digest() }
          return await storeAndFile({ ...file, pieces: () => spool.pieces() }, stores, (fileId) => {
            const { userId } = asked
            const statement = { period: asked, seal }
            const named = { userId, type: 'statement', fileName: nameOf(asked), statement } as const
            return inOnce((tx) => fileDocument(tx, { ...file, ...named, fileId }, tools.config))
          })
        } finally {
          await spool.close()
        }
      },
    }),
  ],
})

/** Returns whose statement it is. Throws a ProblemError: 403 if a customer names a user, 400 if an operator
 * names none. */
function ownerOf(userId: string | undefined, { userId: callerId, role }: Caller): string {
  if (role !== 'operator' && userId !== undefined)
    throw new ProblemError(problems.forbidden, 'Only operators may give user_id.')
  if (role === 'operator' && userId === undefined)
    throw new ProblemError(problems.invalidInput, 'An operator must say whose account it is.', {
      errors: [{ path: '/user_id', message: 'is required from operators' }],
    })
  return userId?.toLowerCase() ?? callerId
}

const noPeriod = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The period does not exist.', { errors: [{ path, message }] })

/** Returns a name that says what is in the file. */
function nameOf({ accountId, from, to, format }: AskedStatement): string {
  const [first, end] = [from, to].map((moment) => moment.toISOString().slice(0, 10))
  return `statement-${accountId}-${first}-${end}.${statementFormats[format].extension}`
}
