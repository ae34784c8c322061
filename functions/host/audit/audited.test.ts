import { randomUUID } from 'node:crypto'
import { createLog } from '../../../monitoring/log.ts'
import { startSpan } from '../../../monitoring/trace.ts'
import { asSuperuser } from '../../../knative/postgres/databases.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { clientAt, startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { openDatabase, sqlstate, type Database } from '../database/database.ts'
import { once } from '../database/idempotency.ts'
import { operation, route } from '../operation.ts'
import { problem, problems } from '../problems.ts'
import type { Reply } from '../reply.ts'
import { idParams } from '../schema.ts'

const owner = randomUUID()

let hasGivenUp = false
const allParts: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({
    next: () => Promise.resolve({ done: false, value: 'gold' }),
    return() {
      hasGivenUp = true
      return Promise.resolve({ done: true, value: undefined })
    },
  }),
}

/** Shows what the host does for every operation: a drawer for each id, to be filled and looked into. */
const drawers = operation({
  name: 'drawers',
  context: 'notifications',
  summary: 'Keeps drawers',
  routes: [
    route({
      method: 'POST',
      path: '/drawers/{id}',
      who: 'signed-in',
      summary: 'Fills a drawer',
      idempotent: true,
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['how'],
        properties: {
          how: { type: 'string' },
          reason: { type: 'string' },
          name: { type: 'string', 'x-personal': true },
          password: { type: 'string', 'x-secret': true },
          metadata: { type: 'object' },
        },
      },
      answers: { 201: { type: 'object' } },
      handle: async ({ body, params, idempotencyKey, traceparent }, { transact, db }) => {
        const filled: Reply = { status: 201, body: { id: params.id, user_id: owner } }
        if (body.how === 'past the audit') {
          await db.query({ text: 'select 1' })
          return filled
        }
        const inTransaction: typeof db.transaction = (work) =>
          body.how === 'without events' ? db.transaction(work) : transact(traceparent, work)
        return inTransaction((tx) =>
          once(tx, 'drawers', idempotencyKey, async () => {
            if (body.how === 'refused') return problem(problems.notFound, 'There is no such drawer.')
            if (body.how === 'broken') await tx.query({ text: 'select 1 / 0' })
            if (body.how === 'broken at last') await tx.query({ text: 'insert into slots values (1), (1)' })
            if (body.how === 'full already') return { ...filled, about: 'nothing-changed' }
            if (body.how === 'otherwise') return { ...filled, about: { subject: 'a key', outcome: 'locked' } }
            return filled
          }),
        )
      },
    }),
    route({
      method: 'GET',
      path: '/drawers/{id}',
      who: 'signed-in',
      summary: 'Looks into a drawer',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { part: { type: 'string' }, cursor: { type: 'string' } },
      },
      answers: { 200: { type: 'object' } },
      streams: 'document',
      handle: async ({ params, query }) => {
        if (query.part === 'lost') return problem(problems.notFound, 'It is lost.')
        if (query.part === 'all') return { status: 200, stream: { mediaType: 'text/plain', parts: allParts } }
        return { status: 200, body: { id: params.id, user_id: owner, content: 'gold' } }
      },
    }),
  ],
})

let database: TestDatabase
let host: TestFunction
let db: Database
let ownerDb: Database

beforeAll(async () => {
  database = await testDatabase('notifications')
  const options = { poolMax: 2, name: 'test', log: createLog({}, 'error', () => {}) }
  db = openDatabase({ url: database.url, ...options })
  ownerDb = openDatabase({ url: database.ownerUrl, ...options })
  // What is wrong here is found when a transaction is committed.
  await ownerDb.query({ text: 'create table slots (n integer unique deferrable initially deferred)' })
  await ownerDb.query({ text: 'grant insert on slots to notifications' })
  // A function behind proxies: it may not count their entries.
  const env = { TRUSTED_HOPS: '3', NOTIFICATIONS_DATABASE_URL: database.url }
  host = await startFunction(drawers, { ...env, BROKER_URL: 'http://127.0.0.1:9/' })
})

afterAll(async () => {
  await host.stop()
  await Promise.all([db.close(), ownerDb.close()])
  await database.drop()
})

const rowsOf = (traceId: string) =>
  db.query<Record<string, unknown>>({
    text: `select caller_id, caller_role, operation, route, subject, owner_id, host(address) as address,
        replace(trace_id::text, '-', '') as trace, outcome, details
      from audit_log where trace_id = $1 order by id`,
    values: [traceId],
  })

interface Asked {
  who?: { userId: string; role?: 'customer' | 'operator' }
  id?: string
  headers?: Record<string, string>
}

/** Sends a request in a trace of its own. Resolves with the answer and the rows of that trace. */
async function ask(method: string, search: string, body: unknown, { who, id, headers }: Asked = {}) {
  const { traceId, spanId } = startSpan(undefined)
  const caller = who ?? { userId: randomUUID() }
  const answer = await host.request(method, `/drawers/${id ?? randomUUID()}${search}`, {
    token: await token(caller),
    ...(body !== undefined && { body }),
    headers: { traceparent: `00-${traceId}-${spanId}-01`, ...headers },
  })
  return { ...answer, caller, traceId, rows: await rowsOf(traceId) }
}

const fill = (body: object, asked?: Asked) => ask('POST', '', { how: 'well', ...body }, asked)
const look = (search: string, asked?: Asked) => ask('GET', search, undefined, asked)
const operator = () => ({ userId: randomUUID(), role: 'operator' }) as const

describe('a change', () => {
  test('leaves a row that says who, what, whose, from where, and in which trace', async () => {
    const id = randomUUID().toUpperCase()
    const asked = { id, headers: clientAt('2001:db8::7') }
    const { status, caller, traceId, rows } = await fill({ reason: 'spring' }, asked)
    expect(status).toBe(201)
    expect(rows).toEqual([
      {
        caller_id: caller.userId,
        caller_role: 'customer',
        operation: 'drawers',
        route: 'POST /drawers/{id}',
        subject: id.toLowerCase(),
        owner_id: owner,
        address: '2001:db8::7',
        trace: traceId,
        outcome: 'changed',
        details: { how: 'well', reason: 'spring' },
      },
    ])
  })

  test('leaves no secret, only the names of what is personal or large, and no long text', async () => {
    const { rows } = await fill({
      password: 'three blue herons',
      name: 'Ada',
      metadata: { iban: 'DE02' },
      reason: `${'x'.repeat(199)}\0\ud800${'y'.repeat(1000)}`,
    })
    expect(rows[0]!.details).toEqual({
      how: 'well',
      name: '(given)',
      metadata: '(given)',
      reason: `${'x'.repeat(199)}\ufffd…`,
    })
    const [{ text }] = (await db.query<{ text: string }>({
      text: `select string_agg(audit::text, '') as text from audit`,
    })) as [{ text: string }]
    expect(text).not.toMatch(/herons|Ada|DE02/)
  })

  test('leaves one row too if it emits no events', async () => {
    expect((await fill({ how: 'without events' })).rows).toMatchObject([{ outcome: 'changed' }])
  })

  test('says what the operation says it was about', async () => {
    const { rows } = await fill({ how: 'otherwise' })
    expect(rows).toMatchObject([{ subject: 'a key', outcome: 'locked', owner_id: owner }])
  })

  test.each([
    ['was rolled back', 'broken', 500],
    ['could not be committed', 'broken at last', 500],
    ['was refused', 'refused', 404],
    ['changed nothing', 'full already', 201],
  ])('leaves none if it %s', async (_what, how, status) => {
    const answer = await fill({ how })
    expect([answer.status, answer.rows]).toEqual([status, []])
  })

  test('leaves no second row if it is repeated with its key', async () => {
    const asked = { who: { userId: randomUUID() }, id: randomUUID(), headers: { 'idempotency-key': 'k1' } }
    const first = await fill({}, asked)
    const again = await fill({}, asked)
    expect([first.body, first.rows.length]).toEqual([again.body, 1])
    expect([again.headers.get('idempotency-replayed'), again.rows]).toEqual(['true', []])
    expect(Object.keys(again.body)).toEqual(['id', 'user_id'])
  })

  test('that an operation makes past the audit is a defect, and is not answered as done', async () => {
    const { status, rows } = await fill({ how: 'past the audit' })
    expect([status, rows]).toEqual([500, []])
  })

  test.each([
    [
      'a forged address',
      { 'x-microbank-client': '203.0.113.9 forged', 'x-forwarded-for': '6.6.6.6, 7.7.7.7, 8.8.8.8' },
      null,
    ],
    ['a network card', clientAt('fe80::1%eth0'), 'fe80::1'],
    ['an address that the front door does not know', clientAt(''), null],
  ])('leaves %s as what it is', async (_what, headers, address) => {
    const { rows } = await fill({}, { headers })
    expect(rows).toMatchObject([{ address }])
  })
})

describe('a reading', () => {
  test.each(['GET', 'HEAD'])(
    'of another’s data by an operator leaves a row with the filter (%s)',
    async (method) => {
      const asked = { who: operator(), headers: clientAt('203.0.113.9') }
      const { status, rows, caller } = await ask(method, '?part=left&cursor=abc', undefined, asked)
      expect(status).toBe(200)
      expect(rows).toMatchObject([
        {
          caller_id: caller.userId,
          caller_role: 'operator',
          route: 'GET /drawers/{id}',
          owner_id: owner,
          address: '203.0.113.9',
          outcome: 'read',
          details: { part: 'left' },
        },
      ])
    },
  )

  test('by a customer, of an operator’s own data, or of nothing leaves none', async () => {
    expect((await look('')).rows).toEqual([])
    expect((await look('', { who: { userId: owner, role: 'operator' } })).rows).toEqual([])
    const lost = await look('?part=lost', { who: operator() })
    expect([lost.status, lost.rows]).toEqual([404, []])
  })

  test('that can’t be recorded gets no answer', async () => {
    await ownerDb.query({ text: 'alter table audit rename to audit_elsewhere' })
    try {
      const answer = await host.request('GET', `/drawers/${randomUUID()}`, { token: await token(operator()) })
      expect(answer.status).toBe(500)
      expect(JSON.stringify(answer.body)).not.toContain('gold')
      const options = { token: await token(operator()) }
      const stream = await host.request('GET', `/drawers/${randomUUID()}?part=all`, options)
      expect([stream.status, hasGivenUp]).toEqual([500, true])
    } finally {
      await ownerDb.query({ text: 'alter table audit_elsewhere rename to audit' })
    }
  })
})

test.each(['update audit set outcome = $$else$$', 'delete from audit', 'truncate audit'])(
  'nobody can change the audit: %s',
  async (text) => {
    await fill({})
    const refused = async (work: Promise<unknown>): Promise<string | undefined> =>
      work.then(
        () => 'done',
        (error: unknown) => sqlstate(error),
      )
    expect(await refused(db.query({ text }))).toBe('42501')
    expect(await refused(ownerDb.query({ text }))).toBe('MB001')
    const url = new URL(database.superuserUrl)
    url.pathname = `/${database.name}`
    expect(await refused(asSuperuser(url.href, (client) => client.query(text)))).toBe('MB001')
  },
)
