import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { momentSchema, readMoment } from '../host/moment.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import { invariantsSchema, readInvariants, readVerification, verificationSchema } from './stops/findings.ts'
import { proveSince } from './stops/prove.ts'
import { stopColumns, stopSchema, toStop, type StopRow } from './stops/stop.ts'

const statusSchema = {
  title: 'LedgerStatus',
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['currency', 'status', 'since', 'reason'],
        properties: {
          currency: { type: 'string' },
          status: { enum: ['running', 'stopped'] },
          since: { type: ['string', 'null'], format: 'date-time', description: 'Null: not stopped.' },
          reason: {
            enum: ['being-checked', 'stopped-by-bank', null],
            description:
              'being-checked: a check of the books has found something; stopped-by-bank: an operator has stopped it.',
          },
        },
      },
    },
  },
} as const

const proofRunSchema = {
  title: 'LedgerProofRun',
  type: 'object',
  additionalProperties: false,
  required: ['since', 'is_complete'],
  properties: {
    since: { type: 'string', format: 'date-time' },
    is_complete: {
      type: 'boolean',
      description: 'Whether every check has ended since then. If not, ask again with the same `since`.',
    },
  },
} as const

const nobodysData = { nothing: 'it shows no customer’s data' } as const

// Less than callers wait for an answer.
const PROOF_MS_MAX = 8_000

interface StatusRow {
  currency: string
  since: Date | null
  is_by_guard: boolean | null
}

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
      path: '/ledger/status',
      // What an operator wrote, and what the guard found, may tell of others: customers get neither.
      who: 'signed-in',
      summary: 'Whether postings of each currency go on, and since when and why they do not',
      answers: { 200: statusSchema },
      audits: nobodysData,
      async handle(_request, { db }) {
        const rows = await db.query<StatusRow>({
          // Each currency has a cash account, whose id is below those of all customers' accounts.
          text: `select c.currency, min(s.at) as since, bool_or(s.stopped_by is null) as is_by_guard
            from (select currency from accounts where id < '00000000-0000-7000-8001-000000000000') c
            left join ledger_stops s
              on s.lifted_at is null and (s.currency is null or s.currency = c.currency)
            group by c.currency order by c.currency`,
        })
        return { status: 200, body: { items: rows.map(toStatus) } }
      },
    }),
    route({
      method: 'GET',
      path: '/ledger/verify',
      who: 'operator',
      summary: 'What the last checks have found: sums, limits, balances, chains, transactions, holds',
      answers: { 200: verificationSchema },
      audits: nobodysData,
      handle: async (_request, { db }) => ({ status: 200, body: await readVerification(db) }),
    }),
    route({
      method: 'POST',
      path: '/ledger/verify',
      operationId: 'proveLedger',
      who: 'operator',
      summary: 'Check all books now, in steps: repeat it with the `since` of its answer until it is complete',
      body: { type: 'object', additionalProperties: false, properties: { since: momentSchema } },
      answers: { 200: proofRunSchema },
      audits: { nothing: 'it changes nothing, and shows no customer’s data' },
      async handle({ body: { since: given } }, tools) {
        const [clock] = await tools.db.query<{ now: Date }>({ text: 'select clock_timestamp() as now' })
        const since = given === undefined ? clock!.now : readMoment(given, '/since', invalidSince)
        if (since > clock!.now) throw invalidSince('/since', 'must not be in the future')
        const isComplete = await proveSince(tools, since, PROOF_MS_MAX)
        return { status: 200, body: { since: since.toISOString(), is_complete: isComplete } }
      },
    }),
    route({
      method: 'GET',
      path: '/ledger/invariants',
      who: 'operator',
      summary: 'The invariants of the ledger: M sums, N limits, B balances and chains',
      answers: { 200: invariantsSchema },
      audits: nobodysData,
      handle: async (_request, { db }) => ({ status: 200, body: await readInvariants(db) }),
    }),
  ],
})

const invalidSince = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'No check can have ended since then.', {
    errors: [{ path, message }],
  })

const toStatus = ({ currency, since, is_by_guard: isByGuard }: StatusRow) =>
  since
    ? {
        currency,
        status: 'stopped' as const,
        since: since.toISOString(),
        reason: isByGuard ? ('being-checked' as const) : ('stopped-by-bank' as const),
      }
    : { currency, status: 'running' as const, since: null, reason: null }
