import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { createLog } from '../../../monitoring/log.ts'
import { explainingDatabase, type ExplainingDatabase } from '../../ledger/testing/plans-fixture.ts'
import { openDatabase } from '../database/database.ts'
import { LOOKED_AT_MAX, mergeParts, storedPart, type AuditFilters, type AuditPart } from './audit-parts.ts'

interface Row {
  id: string
}

/** Reads a list page by page to its end. */
async function readAll(
  limit: number,
  page: (before: string | undefined) => Promise<AuditPart<Row>> | AuditPart<Row>,
): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  let before: string | undefined
  for (let pages = 1; ; pages++) {
    const { rows, reachedId } = await page(before)
    expect(rows.length).toBeLessThanOrEqual(limit)
    ids.push(...rows.map(({ id }) => id))
    if (reachedId === null) return { ids, pages }
    before = reachedId
  }
}

test('parts that stop anywhere make one list, newest first, without gaps and repeats', async () => {
  const source = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(source, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      async (sources, limit, walkedMax) => {
        // An id belongs to one source. Every third row passes the filter, and a page walks over few rows.
        const idsOf = sources.map((numbers, i) =>
          numbers
            .map((n) => `${String(n).padStart(3, '0')}${i}`)
            .sort()
            .reverse(),
        )
        const isWanted = (id: string): boolean => Number(id) % 3 === 0
        const read = (ids: string[], before: string | undefined): AuditPart<Row> => {
          const older = ids.filter((id) => before === undefined || id < before)
          const walked = older.slice(0, walkedMax)
          const rows = walked.filter(isWanted).slice(0, limit)
          const isCut = walked.filter(isWanted).length > limit
          const reachedId = isCut ? rows.at(-1)! : older.length >= walkedMax ? walked.at(-1)! : null
          return { rows: rows.map((id) => ({ id })), reachedId }
        }
        const { ids } = await readAll(limit, (before) =>
          mergeParts(
            idsOf.map((each) => read(each, before)),
            limit,
          ),
        )
        expect(ids).toEqual(idsOf.flat().filter(isWanted).sort().reverse())
      },
    ),
  )
})

describe('the rows that a page reads', () => {
  const [common, rare, owner, lonely] = Array.from({ length: 4 }, () => randomUUID())
  const ROWS = 20_000
  let database: TestDatabase
  let db: ExplainingDatabase
  let all: { id: string; caller_id: string; owner_id: string | null; subject: string; operation: string }[]

  beforeAll(async () => {
    database = await testDatabase('notifications')
    const log = createLog({}, 'error', () => {})
    const filling = openDatabase({
      url: database.ownerUrl,
      poolMax: 1,
      name: 'test',
      log,
      timeoutMs: 120_000,
    })
    await filling.query({
      text: `insert into audit (caller_id, caller_role, operation, route, subject, owner_id, trace_id, outcome)
        select case when n % 6000 = 7 then $1::uuid else $2 end, 'operator',
          case when n % 4000 = 7 then 'close' else 'read' end, 'GET /',
          case when n % 100 = 0 then 'hot' else n::text end,
          case when n = 11 then $4::uuid when n % 2 = 0 then $3 end, gen_random_uuid(), 'read'
        from generate_series(1, ${ROWS}) n`,
      values: [rare, common, owner, lonely],
    })
    await filling.query({ text: 'vacuum analyze audit' })
    all = await filling.query({ text: 'select * from audit order by id desc' })
    await filling.close()
    db = await explainingDatabase(database, 'notifications')
  })

  afterAll(async () => {
    await db.close()
    await database.drop()
  })

  const LIMIT = 20
  const middle = () => all[ROWS / 2]!.id

  test.each<[string, number, () => AuditFilters]>([
    ['all', LIMIT + 1, () => ({})],
    ['a common caller', LIMIT + 1, () => ({ caller: common })],
    ['a rare caller', LIMIT + 1, () => ({ caller: rare })],
    ['nobody', 1, () => ({ caller: randomUUID() })],
    ['an owner', LIMIT + 1, () => ({ owner })],
    ['an owner with one row, the oldest of all', LIMIT + 1, () => ({ owner: lonely })],
    ['a subject', LIMIT + 1, () => ({ subject: 'hot' })],
    ['an operation', LIMIT + 1, () => ({ operation: 'close' })],
    ['a time', LIMIT + 1, () => ({ from: middle() })],
    ['a rare caller until a time', LIMIT + 1, () => ({ caller: rare, before: middle() })],
    ['an owner and a rare caller', LOOKED_AT_MAX, () => ({ owner, caller: rare })],
    ['a common caller and a rare operation', LOOKED_AT_MAX, () => ({ caller: common, operation: 'close' })],
    ['everything', LOOKED_AT_MAX, () => ({ owner, caller: common, operation: 'read', subject: 'hot' })],
  ])('of %s are few', async (_of, rowsMax, given) => {
    const filters = given()
    const expected = all.filter(
      (row) =>
        (filters.caller === undefined || row.caller_id === filters.caller) &&
        (filters.owner === undefined || row.owner_id === filters.owner) &&
        (filters.subject === undefined || row.subject === filters.subject) &&
        (filters.operation === undefined || row.operation === filters.operation) &&
        (filters.from === undefined || row.id >= filters.from) &&
        (filters.before === undefined || row.id < filters.before),
    )
    let read = 0
    db.plans()
    const { ids } = await readAll(LIMIT, async (before) => {
      // Enough of the many.
      if (++read > 30) return { rows: [], reachedId: null }
      const part = await storedPart(db, { ...filters, ...(before !== undefined && { before }) }, LIMIT)
      for (const { statement, nodes } of db.plans()) {
        const large = nodes.filter(({ rows }) => rows > rowsMax)
        const scanned = nodes.filter(({ type }) => type === 'Seq Scan')
        expect({ statement, large, scanned }).toEqual({ statement, large: [], scanned: [] })
      }
      return part
    })
    expect(ids).toEqual(expected.slice(0, ids.length).map(({ id }) => id))
    if (read <= 30) expect(ids.length).toBe(expected.length)
  })
})
