import { textOf } from '../host/answer-of.ts'
import { pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { problem, problems, ProblemError } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Tools } from '../host/tools.ts'
import {
  readSealsCursor,
  sealsPage,
  toSealsPage,
  type StoredSeal,
} from '../host/transparency/listed-seals.ts'

const treeSize = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const
const PLAIN = 'text/plain'
const PLAIN_HEADERS = { 'content-type': `${PLAIN}; charset=utf-8` }

const audits = { nothing: 'everybody may read it' }

export default operation({
  name: 'seals',
  context: 'ledger',
  summary: 'Publishes the signed roots over the histories of all accounts',
  needs: ['SEAL_KEYS'],
  routes: [
    route({
      method: 'GET',
      path: '/seals',
      who: 'anyone',
      audits,
      summary: 'All seals, newest first',
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: sealsPage('sealed_at') },
      handle: async ({ query: { cursor, limit } }, { db }) => {
        const rows = await db.query<StoredSeal>({
          name: 'seals-list',
          text: 'select n, size, root, note, at from seals where n < $1 order by n desc limit $2',
          values: [readSealsCursor(cursor), limit + 1],
        })
        return { status: 200, body: toSealsPage(rows, limit, 'sealed_at') }
      },
    }),
    route({
      method: 'GET',
      path: '/seals/consistency',
      who: 'anyone',
      audits,
      summary:
        'Proof that the tree of `to` leaves begins with the whole tree of `from` leaves (RFC 9162, 2.1.4)',
      query: {
        type: 'object',
        additionalProperties: false,
        required: ['from', 'to'],
        properties: { from: treeSize, to: treeSize },
      },
      answers: {
        200: {
          type: 'object',
          additionalProperties: false,
          required: ['from', 'to', 'consistency'],
          properties: {
            from: { type: 'integer' },
            to: { type: 'integer' },
            consistency: { type: 'array', items: { type: 'string' }, description: 'Hashes in hex.' },
          },
        },
      },
      handle: async ({ query: { from, to } }, { db }) => {
        if (from > to) throw invalidSize('/from', 'must not be more than `to`')
        const [row] = await db.query<{ sealed: bigint; consistency: Buffer[] | null }>({
          name: 'seals-consistency',
          text: `select size as sealed, case when $2 <= size then consistency_path($1, $2) end as consistency
            from seals order by n desc limit 1`,
          values: [from, to],
        })
        if (!row?.consistency)
          throw invalidSize('/to', `must not be more than the tree has sealed leaves: ${row?.sealed ?? 0}`)
        const consistency = row.consistency.map((hash) => hash.toString('hex'))
        return { status: 200, body: { from, to, consistency } }
      },
    }),
    route({
      method: 'GET',
      path: '/.well-known/microbank-checkpoint',
      who: 'anyone',
      audits,
      summary: 'The last signed root, as a note',
      answers: { 200: textOf(PLAIN) },
      problems: [problems.notFound],
      handle: (_request, tools) => checkpoint(tools, null),
    }),
    route({
      method: 'GET',
      path: '/.well-known/microbank-checkpoint/{n}',
      who: 'anyone',
      audits,
      summary: 'The signed root of one seal, as a note',
      params: {
        type: 'object',
        additionalProperties: false,
        required: ['n'],
        properties: { n: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' } },
      },
      operationId: 'getMicrobankCheckpointOfSeal',
      answers: { 200: textOf(PLAIN) },
      handle: ({ params: { n } }, tools) => checkpoint(tools, n),
    }),
    route({
      method: 'GET',
      path: '/.well-known/microbank-seal-keys',
      who: 'anyone',
      audits,
      summary: 'The public keys of the seals, one a line (c2sp.org/signed-note)',
      answers: { 200: textOf(PLAIN) },
      handle: async (_request, { config }) => ({
        status: 200,
        headers: { ...PLAIN_HEADERS, 'cache-control': 'public, max-age=300' },
        text: config.SEAL_KEYS.map((key) => `${key}\n`).join(''),
      }),
    }),
  ],
})

/** Answers with the note of a seal, or of the last one if `n` is null. */
async function checkpoint({ db }: Tools, n: string | null): Promise<Reply> {
  const [row] = await db.query<{ note: string }>({
    name: 'seals-note',
    text: 'select note from seals where $1::bigint is null or n = $1 order by n desc limit 1',
    values: [n],
  })
  if (!row)
    return problem(problems.notFound, n === null ? 'Nothing is sealed yet.' : `There is no seal ${n}.`)
  // A seal never changes; the last one is another after an hour.
  const headers = { ...PLAIN_HEADERS, 'cache-control': `public, max-age=${n === null ? 60 : 31_536_000}` }
  return { status: 200, headers, text: row.note }
}

const invalidSize = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })
