import { randomUUID } from 'node:crypto'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import { shownName } from '../identity/payees.ts'
import users from '../identity/users.ts'
import accounts from '../ledger/accounts.ts'
import { silent, testLedger, type TestLedger } from '../ledger/testing/ledger-fixture.ts'
import payees from './payees.ts'
import { testRouter, type TestRouter } from './testing/gateway-fixture.ts'

let ledger: TestLedger
let databases: TestDatabase[]
let identity: Database
let router: TestRouter
let payeesOf: TestFunction

const env = () => ({
  LEDGER_DATABASE_URL: ledger.database.url,
  PAYMENTS_DATABASE_URL: databases[0]!.url,
  IDENTITY_DATABASE_URL: databases[1]!.url,
  OPERATOR_EMAIL: 'root@bank.example',
})

beforeAll(async () => {
  ledger = await testLedger()
  databases = [await testDatabase('payments'), await testDatabase('identity')]
  identity = openDatabase({ url: databases[1]!.ownerUrl, poolMax: 2, name: 'payees-test', log: silent })
  router = await testRouter()
  await router.start(accounts, env())
  await router.start(users, env())
  payeesOf = await router.start(payees, { ...env(), PAYEE_RATE: '200/600' })
})

afterAll(async () => {
  await router.close()
  await identity.close()
  for (const database of databases) await database.drop()
  await ledger.close()
})

async function customer(name: string, { isConfirmed = true } = {}) {
  const email = `${randomUUID()}@example.com`
  const [row] = await identity.query<{ id: string }>({
    text: `insert into users (name, email, email_confirmed_at)
      values ($1, $2, case when $3 then now() end) returning id`,
    values: [name, email, isConfirmed],
  })
  return { id: row!.id, email }
}

async function accountOf(userId: string, currency = 'USD') {
  const id = await ledger.open({ userId, currency })
  const [row] = await ledger.db.query<{ number: bigint }>({
    text: 'select number from accounts where id = $1',
    values: [id],
  })
  return { id, number: String(row!.number) }
}

const payer = randomUUID()
const ask = async (query: Record<string, string>, userId = payer): Promise<Answer> =>
  payeesOf.request('GET', `/payees?${new URLSearchParams(query)}`, { token: await token({ userId }) })

const calls = () => [router.count('accounts'), router.count('users')]

/** Asks, and returns what was called for it besides. */
async function asking(query: Record<string, string>) {
  const before = calls()
  const { status, body } = await ask(query)
  return { status, body: body as Record<string, unknown>, called: calls().map((n, i) => n - before[i]!) }
}

test('a payee is shown by the number of their account, or by their address, in any case', async () => {
  const ada = await customer('Ada King Lovelace')
  const [dollars, euros] = [await accountOf(ada.id), await accountOf(ada.id, 'EUR')]
  await accountOf(ada.id)
  const shown = { name: 'Ada K. L.' }
  const found = { ...shown, account_id: dollars.id, currency: 'USD' }
  expect((await ask({ number: dollars.number })).body).toEqual(found)
  expect((await ask({ email: ada.email.toUpperCase() })).body).toEqual(found)
  const foundEuros = { ...shown, account_id: euros.id, currency: 'EUR' }
  expect((await ask({ number: euros.number })).body).toEqual(foundEuros)
  expect((await ask({ email: ada.email, currency: 'EUR' })).body).toEqual(foundEuros)
})

test('what is not found looks the same and costs the same calls, whatever the reason', async () => {
  const [good, shy, gone, poor] = [
    await customer('Good'),
    await customer('Shy', { isConfirmed: false }),
    await customer('Gone'),
    await customer('Poor'),
  ]
  const [open, frozen, left] = [await accountOf(good.id), await accountOf(good.id), await accountOf(gone.id)]
  await accountOf(shy.id)
  await ledger.setStatus(frozen.id, 'frozen')
  await identity.query({ text: 'update users set deleted_at = now() where id = $1', values: [gone.id] })

  const byNumber = await asking({ number: open.number })
  const byEmail = await asking({ email: good.email })
  expect([byNumber.status, byEmail.status]).toEqual([200, 200])
  const answers = []
  for (const number of ['100000000093', frozen.number, left.number]) {
    const { called, ...answer } = await asking({ number })
    expect(called).toEqual(byNumber.called)
    answers.push(answer)
  }
  for (const email of ['nobody@example.com', shy.email, gone.email, poor.email]) {
    const { called, ...answer } = await asking({ email })
    expect(called).toEqual(byEmail.called)
    answers.push(answer)
  }
  expect((await ask({ email: good.email, currency: 'JPY' })).status).toBe(404)
  // An address that identity would not have taken.
  expect((await ask({ email: 'no“body@example.com' })).status).toBe(404)
  for (const { status, body } of answers) {
    expect([status, body.type]).toEqual([404, 'https://microbank.dev/problems/payee-not-found'])
    const { instance: _, trace_id: __, ...same } = body
    expect(same).toEqual((({ instance: _i, trace_id: _t, ...rest }) => rest)(answers[0]!.body))
  }
})

test.each([
  [{}, '/number'],
  [{ number: '123456789092', email: 'a@example.com' }, '/email'],
  [{ number: '123456789091' }, '/number'],
  [{ number: '1234 5678 9092' }, '/number'],
  [{ email: 'no address' }, '/email'],
  [{ email: 'a@example.com', currency: 'usd' }, '/currency'],
  [{ number: '123456789092', name: 'Ada' }, '/name'],
] as const)('%j is refused', async (query, path) => {
  const { status, body } = await ask(query)
  expect([status, body.errors[0].path]).toEqual([400, path])
})

test('nobody may ask without a token, and nobody often', async () => {
  expect((await payeesOf.request('GET', '/payees?number=123456789092')).status).toBe(401)
  const strict = await startFunction(payees, { ...env(), LOCAL_GATEWAY: router.address, PAYEE_RATE: '2/600' })
  const [often, other] = [await token({ userId: randomUUID() }), await token({ userId: randomUUID() })]
  const statuses = []
  for (const bearer of [often, often, often, other]) {
    const { status } = await strict.request('GET', '/payees?number=123456789092', { token: bearer })
    statuses.push(status)
  }
  await strict.stop()
  expect(statuses).toEqual([404, 404, 429, 404])
})

test('whose account it is, and names, are told to payments only', async () => {
  const { id } = await customer('Ada')
  const { number } = await accountOf(id)
  for (const role of ['customer', 'operator'] as const) {
    const bearer = await token({ userId: id, role })
    const [found, shown] = [
      await router.functions
        .get('accounts')!
        .request('POST', '/accounts/find', { token: bearer, body: { number } }),
      await router.functions.get('users')!.request('GET', `/users/${id}/shown-name`, { token: bearer }),
    ]
    expect([found.status, shown.status]).toEqual([403, 403])
  }
})

test.each([
  ['Ada Lovelace', 'Ada L.'],
  ['  Ada  King\u00a0Lovelace ', 'Ada K. L.'],
  ['Plato', 'Plato'],
  ['李 小龙', '李 小.'],
  ['Zoë 😀x', 'Zoë 😀.'],
])('of the name %j a payer sees %j', (name, shown) => {
  expect(shownName(name)).toBe(shown)
})
