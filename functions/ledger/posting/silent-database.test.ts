import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { startSilentProxy, type SilentProxy } from '../../../tests/support/silent-proxy.ts'
import { alice, deposit, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import transfer from '../transfer.ts'

/** The function `transfer`, with a proxy before its database that falls silent. */

let ledger: TestLedger
let proxy: SilentProxy
let running: TestFunction
let bearer: string
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  bearer = await token({ userId: alice })
})
beforeEach(async () => {
  proxy = await startSilentProxy(ledger.database.url)
  running = await startFunction(transfer, {
    LEDGER_DATABASE_URL: proxy.through(ledger.database.url),
    DATABASE_TIMEOUT_MS: '3000',
    BROKER_URL: 'http://127.0.0.1:9/',
  })
  from = await ledger.open()
  to = await ledger.open()
  await ledger.post(deposit(from, 900_00))
})
afterEach(async () => {
  await proxy.stop()
  await running.stop()
})
afterAll(() => ledger.close())

const send = (key: string): Promise<Answer> =>
  running.request('POST', '/transactions', {
    token: bearer,
    body: { type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' },
    headers: { 'idempotency-key': key },
  })

const keys = (count: number): string[] => Array.from({ length: count }, () => randomUUID())

test('every request is answered 503, and the first one after the silence is posted', async () => {
  expect((await send(randomUUID())).status).toBe(201)
  proxy.silence()
  for (const answer of await Promise.all(keys(30).map(send))) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(answer.body.type).toBe('https://microbank.dev/problems/unavailable')
  }
  proxy.heal()
  expect((await send(randomUUID())).status).toBe(201)
  expect(await ledger.balances(from, to)).toEqual([898_00n, 2_00n])
  expect(await ledger.faults()).toEqual([])
})

test('a transfer that was committed without an answer is not posted again when the caller repeats it', async () => {
  expect((await send(randomUUID())).status).toBe(201)
  proxy.swallowAnswers()
  const sent = keys(10)
  const answers = await Promise.all(sent.map(send))
  for (const { status } of answers) expect(status).toBe(503)
  expect(answers.some(({ body }) => /may or may not have been made/.test(body.detail as string))).toBe(true)
  proxy.heal()
  for (const answer of await Promise.all(sent.map(send))) expect(answer.status).toBe(201)
  expect(await ledger.balances(from, to)).toEqual([889_00n, 11_00n])
  expect(await ledger.faults()).toEqual([])
})
