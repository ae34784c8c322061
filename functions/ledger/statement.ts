import { operation, route } from '../host/operation.ts'
import { leavingAfter, Places } from '../host/places.ts'
import { ProblemError, problem, problems } from '../host/problems.ts'
import type { Database } from '../host/database/database.ts'
import type { Reply } from '../host/reply.ts'
import { idParams } from '../host/schema.ts'
import { findAccount, type AccountRow } from './accounts/account.ts'
import { accountNotFound, postingProblems } from './posting/refusals.ts'
import { proofSchema } from './seals/proof-schema.ts'
import { proofOfAccount } from './seals/proof.ts'
import { proofProblems } from './seals/sealed-part.ts'
import { formatFor, formatNames, formats, type StatementFormat } from './statements/formats.ts'
import { statementSchema } from './statements/json.ts'
import type { MadeStatement } from './statements/bounds.ts'
import { makeStatement } from './statements/make-statement.ts'
import { periodQuery, readPeriod } from './statements/period.ts'
import { checked } from './statements/read-entries.ts'

const tooLong = {
  name: 'statement-too-long',
  status: 422,
  title: 'The statement is too long for this format',
}

/** Statements that one caller may read at once from a process: more would take the places of others. */
const READ_AT_ONCE_MAX = 5

export default operation({
  name: 'statement',
  context: 'ledger',
  summary: 'Writes statements of accounts: JSON, CSV, PDF, camt.053',
  state: () => new Places(READ_AT_ONCE_MAX),
  routes: [
    route({
      method: 'GET',
      path: '/accounts/{id}/statement',
      who: 'signed-in',
      onBehalf: ['documents'],
      streams: 'document',
      rate: { policy: 'statements', per: 'caller', quota: 'STATEMENT_RATE' },
      summary: 'Opening balance, entries and closing balance of an account in a period',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...periodQuery, format: { enum: [...formatNames, 'proof'] } },
      },
      answers: {
        200: {
          content: {
            'application/json': { anyOf: [statementSchema, proofSchema] },
            'text/csv': { type: 'string' },
            'application/pdf': undefined,
            'application/xml': { type: 'string' },
          },
          headers: ['Content-Disposition', 'Microbank-Seal'],
        },
      },
      problems: [
        postingProblems['account-not-found'],
        problems.notAcceptable,
        problems.tooManyRequests,
        tooLong,
        ...Object.values(proofProblems),
      ],
      handle: async ({ params: { id }, query, caller, accept }, { db }, readers: Places) => {
        const name = query.format ?? formatFor(accept)
        const period = readPeriod(query)
        const leave = readers.take(caller.userId)
        // Before anything is read.
        if (!leave) return tooManyStatements()
        return untilRead(leave, async () => {
          const account = await findAccount(db, id, caller)
          if (!account) return accountNotFound()
          const made = await makeStatement(db, account, period)
          const reply = await (name === 'proof' ? proofOf(db, made) : write(made, account, formats[name]))
          return { ...reply, about: { ownerId: account.user_id } }
        })
      },
    }),
  ],
})

const tooManyStatements = (): Reply =>
  problem(
    problems.tooManyRequests,
    `You are reading ${READ_AT_ONCE_MAX} statements already. Wait until one of them has ended.`,
    { headers: { 'retry-after': '5' } },
  )

/** Calls `leave` when the reply is known, or, if it is a stream, when that has ended. */
async function untilRead(leave: () => void, work: () => Promise<Reply>): Promise<Reply> {
  let isStream = false
  try {
    const reply = await work()
    const { stream } = reply
    if (!stream) return reply
    isStream = true
    return { ...reply, stream: { ...stream, parts: leavingAfter(stream.parts, leave) } }
  } finally {
    if (!isStream) leave()
  }
}

function write({ statement, pages }: MadeStatement, account: AccountRow, format: StatementFormat): Reply {
  const { entriesMax = Infinity, parameters } = format
  const count = statement.credits.count + statement.debits.count
  if (count > entriesMax)
    return problem(
      tooLong,
      `This format takes at most ${entriesMax} entries, and the period has ${count}. ` +
        'Ask for a shorter period, or for another format: csv, json or camt.053.',
    )
  return {
    status: 200,
    headers: {
      vary: 'accept',
      ...disposition(account.id, format),
      // Whoever files it needs not look into it.
      ...(statement.seal && { 'microbank-seal': String(statement.seal.n) }),
    },
    stream: {
      mediaType: format.mediaTypes[0] + parameters,
      parts: format.write(statement, checked(statement, pages)),
    },
  }
}

/** Proves the entries of a statement: from the version before them to the last of them. Throws a ProblemError
 * (400) for a statement by value date: its entries are not those of a range of versions. */
async function proofOf(db: Database, { statement }: MadeStatement): Promise<Reply> {
  const { account, fromVersion, toVersion } = statement
  if (fromVersion === null || toVersion === null)
    throw new ProblemError(problems.invalidInput, 'Only a statement by booking time can be proved.', {
      errors: [{ path: '/basis', message: 'must be booking if the format is proof' }],
    })
  const wanted = { from: Number(fromVersion), to: Number(toVersion) }
  const proven = await proofOfAccount(db, account.id, wanted)
  return 'refusal' in proven ? proven.refusal : { status: 200, body: proven.proof }
}

function disposition(accountId: string, { extension }: StatementFormat): Record<string, string> {
  if (extension === undefined) return {}
  return { 'content-disposition': `attachment; filename="statement-${accountId}.${extension}"` }
}
