import { ledgerSealed, type LedgerSealed } from '../../eventing/contracts/ledger.sealed.ts'
import { pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import {
  readSealsCursor,
  sealsPage,
  toSealsPage,
  type StoredSeal,
} from '../host/transparency/listed-seals.ts'
import { witness } from './witness.ts'

/** Keeps the ledger's seals outside the ledger, and refuses one that contradicts those that it has. */
export default operation({
  name: 'witness-seals',
  context: 'notifications',
  summary: 'Keeps the ledger’s seals, after comparing each with those before',
  needs: ['SEAL_KEYS'],
  consumes: {
    contracts: [ledgerSealed],
    receive: (event, tools, _state, { traceparent }) =>
      witness({ data: event.data as LedgerSealed, traceparent }, tools),
  },
  routes: [
    route({
      method: 'GET',
      path: '/seals/witnessed',
      who: 'anyone',
      audits: { nothing: 'everybody may read it' },
      summary: 'The seals as the notifications context has received and kept them, newest first',
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: sealsPage('witnessed_at') },
      handle: async ({ query: { cursor, limit } }, { db }) => {
        const rows = await db.query<StoredSeal>({
          name: 'witnessed-list',
          text: `select n, size, root, note, witnessed_at as at from witnessed_seals
            where size < $1 order by size desc limit $2`,
          values: [readSealsCursor(cursor), limit + 1],
        })
        return { status: 200, body: toSealsPage(rows, limit, 'witnessed_at', 'size') }
      },
    }),
  ],
})
