import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { invariantsSchema, readInvariants, readVerification, verificationSchema } from './stops/findings.ts'
import { stopColumns, stopSchema, toStop, type StopRow } from './stops/stop.ts'

export default operation({
  name: 'ledger-checks',
  context: 'ledger',
  summary: 'Shows what the checks of the books have found, and the stops',
  routes: [
    route({
      method: 'GET',
      path: '/ledger/stops',
      who: 'operator',
      summary: 'The stops, newest first; with `open`, only those that are lifted, or that are not',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, open: { type: 'boolean' } },
      },
      answers: { 200: pageOf(stopSchema) },
      async handle({ query: { limit, cursor, open } }, { db }) {
        const rows = await db.query<StopRow>({
          text: `select ${stopColumns} from ledger_stops
            where ($1::uuid is null or id < $1) and ($2::boolean is null or (lifted_at is null) = $2)
            order by id desc limit $3`,
          values: [decodeCursor(cursor), open, limit + 1],
        })
        return { status: 200, body: page(rows, limit, toStop) }
      },
    }),
    route({
      method: 'GET',
      path: '/ledger/verify',
      who: 'operator',
      summary: 'What the last checks have found: sums, limits, balances, chains, transactions, holds',
      answers: { 200: verificationSchema },
      audits: { nothing: 'it shows no customer’s data' },
      handle: async (_request, { db }) => ({ status: 200, body: await readVerification(db) }),
    }),
    route({
      method: 'GET',
      path: '/ledger/invariants',
      who: 'operator',
      summary: 'Whether what must always be true is true: M sums, N limits, B balances and chains',
      answers: { 200: invariantsSchema },
      audits: { nothing: 'it shows no customer’s data' },
      handle: async (_request, { db }) => ({ status: 200, body: await readInvariants(db) }),
    }),
  ],
})
