import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { parse } from 'csv-parse/sync'
import { unguardText } from '../host/values/csv-text.ts'
import { databaseContexts, type DatabaseContext } from '../contexts.ts'
import { databaseSetting } from '../host/config.ts'
import auditDocuments from '../documents/audit-documents.ts'
import auditIdentity from '../identity/audit-identity.ts'
import auditLedger from '../ledger/audit-ledger.ts'
import auditNotifications from '../notifications/audit-notifications.ts'
import auditPayments from '../payments/audit-payments.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { clientAt, request, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { writeAuditCsv } from './audit-csv.ts'
import audit from './audit.ts'

/** The audit of the whole bank, over the real functions of the contexts and their databases. */

const operations = {
  identity: auditIdentity,
  ledger: auditLedger,
  notifications: auditNotifications,
  payments: auditPayments,
  documents: auditDocuments,
}
const databases: TestDatabase[] = []
const contexts = {} as Record<DatabaseContext, TestFunction>
/** Contexts whose function does not answer. */
const away = new Set<string>()
let whole: TestFunction
let asOperator: string
const operator = randomUUID()

/** Stands in for the gateway: finds the function by the Host header. */
const gateway = http.createServer((incoming, response) => {
  const [, context = ''] = /^audit-(\w+)\./.exec(incoming.headers.host ?? '') ?? []
  if (away.has(context)) return void response.writeHead(500).end()
  const { authorization = '', traceparent = '', 'x-microbank-client': client = '' } = incoming.headers
  const headers = { authorization, traceparent: String(traceparent), 'x-microbank-client': String(client) }
  void request('GET', contexts[context as DatabaseContext].url + incoming.url, { headers }).then((answer) =>
    response
      .writeHead(answer.status, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer.body)),
  )
})

beforeAll(async () => {
  for (const context of databaseContexts) {
    const database = await testDatabase(context)
    databases.push(database)
    contexts[context] = await startFunction(operations[context], {
      [databaseSetting(context)!]: database.url,
    })
  }
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  whole = await startFunction(audit, {
    LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  })
  asOperator = await token({ userId: operator, role: 'operator' })
  for (let n = 0; n < 20; n++) await note(databaseContexts[n % 3 === 0 ? 0 : n % databaseContexts.length]!, n)
})

afterAll(async () => {
  await whole.stop()
  gateway.closeAllConnections()
  gateway.close()
  for (const running of Object.values(contexts)) await running.stop()
  for (const database of databases) await database.drop()
})

const caller = randomUUID()
const expected: string[] = []

/** Puts a row into the audit of a context. */
async function note(context: DatabaseContext, n: number): Promise<void> {
  const [row] = await contexts[context].tools.db.query<{ id: string }>({
    text: `insert into audit (caller_id, caller_role, operation, route, subject, trace_id, outcome)
      values ($1, 'customer', 'notes', 'POST /notes', $2, gen_random_uuid(), 'changed') returning id`,
    values: [caller, String(n)],
  })
  expected.unshift(row!.id)
}

const list = (search: string, bearer = asOperator, headers = {}) =>
  whole.request('GET', `/audit${search}`, { token: bearer, headers })

const idsOf = (body: { items: { id: string }[] }): string[] => body.items.map(({ id }) => id)

test('is one list of all contexts, newest first', async () => {
  const { status, body } = await list(`?caller=${caller}`)
  expect([status, idsOf(body), body.next_cursor]).toEqual([200, expected, null])
  expect(new Set(body.items.map((item: { context: string }) => item.context))).toEqual(
    new Set(databaseContexts),
  )
})

test('goes on page by page, without gaps and repeats', async () => {
  for (const limit of [1, 3, 19, 20]) {
    const paged: string[] = []
    for (let search = `?caller=${caller}&limit=${limit}`; search;) {
      const { body } = await list(search)
      expect(body.items.length).toBeLessThanOrEqual(limit)
      paged.push(...idsOf(body))
      search = body.next_cursor ? `?caller=${caller}&limit=${limit}&cursor=${body.next_cursor}` : ''
    }
    expect([limit, paged]).toEqual([limit, expected])
  }
})

test('passes its filters on, and can show one context alone', async () => {
  expect((await list(`?caller=${caller}&subject=7&operation=notes`)).body.items).toMatchObject([
    { subject: '7' },
  ])
  const { body } = await list(`?context=identity&caller=${caller}`)
  expect(body.items.length).toBeGreaterThan(3)
  for (const item of body.items) expect(item.context).toBe('identity')
})

test('asks with the operator’s own token and address: each context has the reading in its audit', async () => {
  const filter = `?caller=${randomUUID()}`
  expect((await list(filter, asOperator, clientAt('203.0.113.9'))).body.items).toEqual([])
  const { body } = await list(`?caller=${operator}&limit=${databaseContexts.length}`)
  for (const context of databaseContexts)
    expect(body.items).toContainEqual(
      expect.objectContaining({
        ...{ context, operation: `audit-${context}`, outcome: 'read', address: '203.0.113.9' },
        details: expect.objectContaining({ caller: filter.slice('?caller='.length) }),
      }),
    )
  const traces = new Set(body.items.map((item: { trace_id: string }) => item.trace_id))
  expect(traces.size).toBe(1)
})

test('says which context does not answer, and shows nothing then', async () => {
  away.add('ledger')
  try {
    const { status, body } = await list('')
    expect([status, body.items]).toEqual([503, undefined])
    expect((await list('?format=csv')).status).toBe(503)
    expect(body.detail).toBe('The audit of the context ledger did not answer. Try again.')
    // Who asks for another context gets it.
    expect((await list('?context=identity')).status).toBe(200)
  } finally {
    away.clear()
  }
})

test('as CSV: all entries at once, none of whose cells a spreadsheet runs', async () => {
  const formula = '=HYPERLINK("http://x","y")\n+1'
  await contexts.identity.tools.db.query({
    text: `insert into audit (caller_id, caller_role, operation, route, subject, trace_id, outcome, details)
      values ($1, 'customer', 'notes', 'POST /notes', $2, gen_random_uuid(), 'changed', '{"query": "a;=1"}')`,
    values: [caller, formula],
  })
  const { status, body: text, headers } = await list(`?caller=${caller}&format=csv&limit=1`)
  expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([
    200,
    'text/csv; charset=utf-8; header=present',
    'attachment; filename="audit.csv"',
  ])
  const records: Record<string, string>[] = parse(text as string, { columns: true })
  const { body } = await list(`?caller=${caller}`)
  expect(records.map(({ record, id }) => [record, id])).toEqual([
    ...idsOf(body).map((id) => ['entry', id]),
    ['end', ''],
  ])
  const [first] = records
  expect([unguardText(first!.subject!), unguardText(first!.details!)]).toEqual([formula, '{"query":"a;=1"}'])
  expect(`${first!.subject} ${first!.details}`).not.toMatch(/(^|[;\n])=/)
  // Of the entries that this page of the list leaves out, too.
  expect((await list('?format=csv&context=ledger&operation=notes')).body).toContain('\r\nend,')
})

test('a file that is full names the cursor that goes on', () => {
  const last = writeAuditCsv([], 'abc').trim().split('\r\n').at(-1)!.split(',')
  expect(last.slice(0, 2)).toEqual(['more', 'abc'])
})

test('is for operators, and refuses what no context would accept', async () => {
  expect((await whole.request('GET', '/audit')).status).toBe(401)
  expect((await list('', await token({ userId: caller }))).status).toBe(403)
  for (const search of [
    '?context=web',
    '?format=xml',
    '?format=csv&caller=1',
    '?cursor=x',
    '?from=now',
    '?to=2026-06-30T23:59:60Z',
    '?caller=1',
    '?from=0000-01-01T00:00:00Z',
  ])
    expect([search, (await list(search)).status]).toEqual([search, 400])
})
