import { ledgerSealed, type LedgerSealed } from '../../eventing/contracts/ledger.sealed.ts'
import { invalidCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { witness } from './witness.ts'

const witnessedSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['seal', 'size', 'root', 'checkpoint', 'witnessed_at'],
  properties: {
    seal: { type: 'integer', description: 'Number of the seal.' },
    size: { type: 'integer', description: 'Leaves of the tree.' },
    root: { type: 'string', description: 'Root of the tree, in hex.' },
    checkpoint: { type: 'string', description: 'The signed note.' },
    witnessed_at: { type: 'string', format: 'date-time' },
  },
} as const

type WitnessedRow = { n: bigint; size: bigint; root: Buffer; note: string; witnessed_at: Date }

const toWitnessed = ({ n, size, root, note, witnessed_at: at }: WitnessedRow) => ({
  seal: Number(n),
  size: Number(size),
  root: root.toString('hex'),
  checkpoint: note,
  witnessed_at: at.toISOString(),
})

/** Keeps the ledger's seals outside the ledger, and refuses one that contradicts those that it has. */
export default operation({
  name: 'witness-seals',
  context: 'notifications',
  summary: 'Keeps the ledger’s seals, after comparing each with those before',
  needs: ['SEAL_KEYS'],
  consumes: {
    contracts: [ledgerSealed],
    receive: (event, tools, _state, { traceparent }) =>
      witness({ source: event.source, id: event.id, data: event.data as LedgerSealed, traceparent }, tools),
  },
  routes: [
    route({
      method: 'GET',
      path: '/seals/witnessed',
      who: 'anyone',
      audits: { nothing: 'everybody may read it' },
      summary: 'The seals as the notifications context has received and kept them, newest first',
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: pageOf(witnessedSchema) },
      handle: async ({ query: { cursor, limit } }, { db }) => {
        const rows = await db.query<WitnessedRow>({
          name: 'witnessed-list',
          text: `select n, size, root, note, witnessed_at from witnessed_seals
            where n < $1 order by n desc limit $2`,
          values: [cursor === undefined ? String(Number.MAX_SAFE_INTEGER) : readCursor(cursor), limit + 1],
        })
        const withIds = rows.map((row) => ({ ...row, id: String(row.n) }))
        return { status: 200, body: page(withIds, limit, toWitnessed) }
      },
    }),
  ],
})

function readCursor(cursor: string): string {
  const n = Buffer.from(cursor, 'base64url').toString()
  if (/^[1-9][0-9]{0,14}$/.test(n)) return n
  throw invalidCursor()
}
