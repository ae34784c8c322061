import { createHash, randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { token, type Answer } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { alice, deposit } from '../ledger/testing/ledger-fixture.ts'
import { startSealer, type TestSealer } from '../ledger/testing/seals-fixture.ts'
import { testStatements, type TestStatements } from '../ledger/testing/statement-fixture.ts'
import fileStatement from './file-statement.ts'
import { testDocuments, type TestDocuments } from './testing/documents-fixture.ts'

/** Filing over the ledger's own function, by way of a gateway that may fail. */

type Passage = 'pass' | 'away' | 'cut' | 'endless'

let statements: TestStatements
let sealer: TestSealer
let bank: TestDocuments
let gateway: http.Server
/** What becomes of the next requests; then they pass. */
let passages: Passage[] = []
let asked = 0
let mine: string
let account: string
let from: string
let to: string

const serve = (request: http.IncomingMessage, response: http.ServerResponse): void => {
  if (!request.url?.startsWith('/accounts/')) return void response.writeHead(202).end()
  asked++
  const passage = passages.shift() ?? 'pass'
  if (passage === 'away') return void response.writeHead(503).end()
  if (passage === 'endless') {
    response.writeHead(200, { 'content-type': 'application/pdf' })
    const more = (): void => void response.write(Buffer.alloc(64 * 1024), (error) => error ?? more())
    return more()
  }
  const { method, url, headers } = request
  const outgoing = http.request(statements.host.url + url, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers)
    if (passage === 'pass') return void answer.pipe(response)
    answer.once('data', (part: Buffer) =>
      response.write(part.subarray(0, part.length / 2), () => response.destroy()),
    )
  })
  outgoing.end()
}

beforeAll(async () => {
  statements = await testStatements()
  gateway = http.createServer(serve)
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const { port } = gateway.address() as AddressInfo
  bank = await testDocuments({ LOCAL_GATEWAY: `127.0.0.1:${port}`, DOCUMENTS_PER_CUSTOMER_MAX: '15' })
  mine = await token({ userId: alice })
  account = await statements.ledger.open()
  await statements.ledger.post(deposit(account, 900_00))
  sealer = await startSealer(statements.ledger)
  await sealer.seal()
  from = '2026-01-01'
  to = await now()
})
afterAll(async () => {
  await bank?.close()
  await sealer?.stop()
  await statements?.stop()
  gateway.closeAllConnections()
  gateway.close()
})
beforeEach(() => {
  passages = []
  asked = 0
})

/** A moment that has passed. */
async function now(): Promise<string> {
  const [row] = await statements.ledger.db.query<{ now: Date }>({ text: 'select clock_timestamp() as now' })
  return row!.now.toISOString()
}

interface Options {
  token?: string | undefined
  key?: string
}

const file = (body: object = {}, options: Options = {}): Promise<Answer> => {
  const { token: bearer, key } = { token: mine, ...options }
  return bank.functions.fileStatement.request('POST', '/documents/statements', {
    ...(bearer && { token: bearer }),
    body: { account_id: account, from, to, format: 'csv', ...body },
    ...(key && { headers: { 'idempotency-key': key } }),
  })
}

const problemOf = ({ status, body }: Answer) => [status, body.type?.split('/').pop(), body.errors?.[0]?.path]

/** A period that no other test has. */
let hours = 0
const period = (): { from: string } => ({ from: new Date(Date.UTC(2025, 0, 1, hours++)).toISOString() })

/** Numbers of rows: after a refusal there are as many as before. */
const counts = async () =>
  (
    await bank.db.query({
      text: `select (select count(*) from documents) as documents, (select count(*) from outbox) as events,
        (select count(*) from stored_files) as files, (select count(*) from audit) as audit`,
    })
  )[0]

test.each([
  ['pdf', 'application/pdf', 'pdf'],
  ['csv', 'text/csv; charset=utf-8; header=present', 'csv'],
  ['camt.053', 'application/xml', 'xml'],
] as const)(
  'a statement is filed as %s, byte for byte as the ledger makes it',
  async (format, type, ending) => {
    const { status, body, headers } = await file({ format })
    expect([status, body.status, body.document_type]).toEqual([201, 'ready', 'statement'])
    expect(body.statement).toEqual({
      ...{ account_id: account, format, seal: 1 },
      ...{ from: '2026-01-01T00:00:00.000Z', to },
    })
    expect(body.file_name).toBe(`statement-${account}-2026-01-01-${to.slice(0, 10)}.${ending}`)
    expect(headers.get('location')).toBe(`/api/media/${body.public_id}`)
    const filed = await bank.get(`/media/${body.public_id}`, mine)
    expect([filed.status, filed.headers['content-type'], filed.bytes.length]).toEqual([200, type, body.size])
    expect(createHash('sha256').update(filed.bytes).digest('hex')).toBe(body.sha256)
    const made = await statements.ask(account, { from, to, format })
    expect(filed.bytes.toString()).toBe(made.body)
    const [event] = await bank.db.query<{ data: object }>({
      text: `select data from outbox where subject = $1 and type = 'document.uploaded'`,
      values: [body.public_id],
    })
    expect(event!.data).toMatchObject({ document_type: 'statement', user_id: alice, size: body.size })
    const audited = await bank.db.query({
      text: 'select operation, owner_id, outcome from audit where subject = $1',
      values: [body.public_id],
    })
    expect(audited).toEqual([{ operation: fileStatement.name, owner_id: alice, outcome: 'changed' }])
  },
)

test('a statement is filed once, however often and by whichever key it is asked for', async () => {
  const key = randomUUID()
  const when = period()
  const first = await file(when, { key })
  expect(first.status).toBe(201)
  const before = await counts()
  asked = 0
  const again = await file(when, { key })
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
  // A date is its beginning, in any time zone.
  const found = await file({ from: when.from.replace('Z', '+00:00') }, { key: randomUUID() })
  expect([found.status, found.body]).toEqual([200, first.body])
  expect(asked).toBe(0)
  expect(await counts()).toMatchObject({ documents: before!.documents, files: before!.files })
  expect(problemOf(await file(period(), { key }))).toEqual([422, 'idempotency-key-reused', undefined])
  expect((await file({ ...when, format: undefined })).body.media_type).toBe('application/pdf')
})

test('asked for ten times at once it is one document, and no bytes are left of the others', async () => {
  const before = await counts()
  const when = period()
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => file(when, i < 5 ? {} : { key: randomUUID() })),
  )
  // The ledger lets a customer read five statements at once.
  expect(answers.filter(({ status }) => ![200, 201, 503].includes(status))).toEqual([])
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  const after = await counts()
  expect(Number(after!.documents)).toBe(Number(before!.documents) + 1)
  expect(Number(after!.files)).toBe(Number(before!.files) + 1)
})

test('a statement that was filed before it was sealed gets its checkpoint when it is filed again, once', async () => {
  const young = await statements.ledger.open()
  await statements.ledger.post(deposit(young, 5_00))
  const when = { account_id: young, to: await now() }
  // Nothing has happened if the ledger was too slow.
  const filed = (body: object) =>
    until(async () => {
      const answer = await file(body)
      return answer.status !== 503 && answer
    })
  const bytesOf = async ({ body }: Answer) => (await bank.get(`/media/${body.public_id}`, mine)).bytes
  const first = await filed(when)
  expect([first.status, first.body.statement.seal]).toEqual([201, null])
  expect((await bytesOf(first)).toString()).not.toContain('checkpoint')
  const before = await counts()
  const again = await filed(when)
  expect([again.status, again.body]).toEqual([200, first.body])
  expect(await counts()).toMatchObject({ events: before!.events, files: before!.files })

  await sealer.seal()
  const sealed = await Promise.all([1, 2, 3].map(() => filed(when)))
  for (const answer of sealed) expect([answer.status, answer.body]).toEqual([200, sealed[0]!.body])
  expect(sealed[0]!.body).toMatchObject({ public_id: first.body.public_id, statement: { seal: 2 } })
  const made = await statements.ask(young, { from, to: when.to, format: 'csv' })
  expect(made.headers.get('microbank-seal')).toBe('2')
  expect((await bytesOf(sealed[0]!)).toString()).toBe(made.body)
  expect(made.body).toContain('microbank.dev/ledger')
  // The old file is there until the sweep comes; of those that came too late nothing is left.
  const after = await counts()
  expect(Number(after!.files)).toBe(Number(before!.files) + 1)
  expect(await bank.sweep()).toBe(204)
  expect(await counts()).toMatchObject({ files: before!.files })
  expect(Number(after!.events)).toBe(Number(before!.events) + 1)
  const outcomes = await bank.db.query({
    text: 'select outcome from audit where subject = $1 order by at',
    values: [first.body.public_id],
  })
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
    ...['changed', 'changed'],
    ...['read', 'read', 'read'],
  ])
  asked = 0
  expect((await file(when)).body).toEqual(sealed[0]!.body)
  expect(asked).toBe(0)
})

test('who may file a statement: the owner, and an operator for them', async () => {
  const before = await counts()
  expect((await file({}, { token: undefined })).status).toBe(401)
  const bob = await token({ userId: randomUUID() })
  expect(problemOf(await file({}, { token: bob }))).toEqual([404, 'account-not-found', undefined])
  expect(problemOf(await file({ account_id: randomUUID() }))).toEqual([404, 'account-not-found', undefined])
  expect(problemOf(await file({ user_id: alice }, { token: bob }))).toEqual([403, 'forbidden', undefined])
  const { operator } = bank
  expect(problemOf(await file({}, { token: operator }))).toEqual([400, 'invalid-input', '/user_id'])
  expect(problemOf(await file({ user_id: randomUUID() }, { token: operator }))).toEqual([
    ...[404, 'account-not-found'],
    undefined,
  ])
  expect(await counts()).toEqual(before)
  const { status, body } = await file({ ...period(), user_id: alice }, { token: operator })
  expect([status, body.user_id]).toEqual([201, alice])
  expect((await bank.get(`/media/${body.public_id}`, mine)).status).toBe(200)
  expect((await bank.get(`/media/${body.public_id}`, bob)).status).toBe(404)
})

test.each<[what: string, body: object, path: string]>([
  ['a period that has not ended', { to: '2999-01-01' }, '/to'],
  ['a period that ends before it begins', { from: '2026-01-02', to: '2026-01-01' }, '/to'],
  ['a day that does not exist', { from: '2026-02-30' }, '/from'],
  ['no end', { to: undefined }, '/to'],
  ['a format that only readers want', { format: 'json' }, '/format'],
  ['an account that is none', { account_id: 'a' }, '/account_id'],
  ['a field that does not exist', { basis: 'value' }, '/basis'],
])('%s is refused', async (_what, body, path) => {
  const before = await counts()
  expect(problemOf(await file(body))).toEqual([400, 'invalid-input', path])
  expect(await counts()).toEqual(before)
})

test('an answer that breaks off is asked for again, and only a whole one is filed', async () => {
  passages = ['cut', 'away']
  const { status, body } = await file({ ...period(), format: 'pdf' })
  expect([status, asked]).toEqual([201, 3])
  const { bytes } = await bank.get(`/media/${body.public_id}`, mine)
  expect(bytes.toString('latin1')).toMatch(/^%PDF-[\s\S]*%%EOF\s*$/)
})

test('while the ledger is away, filing is refused, and the same key files it later', async () => {
  const before = await counts()
  const key = randomUUID()
  const when = period()
  passages = ['away', 'cut', 'away']
  const refused = await file(when, { key })
  expect(problemOf(refused)).toEqual([503, 'unavailable', undefined])
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await counts()).toEqual(before)
  expect((await file(when, { key })).status).toBe(201)
})

test('a statement that is larger than a document may be is refused while it comes', async () => {
  const before = await counts()
  passages = ['endless']
  expect(problemOf(await file(period()))).toEqual([422, 'statement-too-long', undefined])
  expect([asked, await counts()]).toEqual([1, before])
})

test('statements are listed by their type, and one that was deleted can be filed again', async () => {
  const when = period()
  const { body } = await file(when)
  const listed = (await bank.get('/media?document_type=statement&limit=200', mine)).body.items
  expect(listed[0]).toEqual(body)
  expect((await bank.get('/media?document_type=upload', mine)).body.items).toEqual([])
  expect((await bank.remove(body.public_id, mine)).status).toBe(204)
  const again = await file(when)
  expect([again.status, again.body.public_id === body.public_id]).toEqual([201, false])
})

test('a customer without room is refused before the ledger is asked', async () => {
  const { length } = (await bank.get('/media?limit=200', mine)).body.items as unknown[]
  for (let n = length; n < 15; n++) expect((await file(period())).status).toBe(201)
  asked = 0
  expect(problemOf(await file(period()))).toEqual([409, 'document-limit-reached', undefined])
  expect(asked).toBe(0)
})
