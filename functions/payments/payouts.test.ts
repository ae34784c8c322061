import { randomUUID } from 'node:crypto'
import { openDatabase, type Database } from '../host/database/database.ts'
import type { Tools } from '../host/tools.ts'
import users from '../identity/users.ts'
import accounts from '../ledger/accounts.ts'
import { deposit, silent, testLedger, type TestLedger } from '../ledger/testing/ledger-fixture.ts'
import transfer from '../ledger/transfer.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { deliverTick } from '../../tests/support/events.ts'
import { token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import createPayout from './create-payout.ts'
import payouts from './payouts.ts'
import runPayouts from './run-payouts.ts'
import { claimPayout, runPayout } from './payouts/run-payout.ts'
import { takeUpPayouts } from './payouts/take-up-payouts.ts'
import sweepPayments from './sweep-payments.ts'
import { dying } from './testing/dying.ts'
import { testRouter, type TestRouter } from './testing/gateway-fixture.ts'

/** Payouts over a real ledger, with answers that are lost, events that come twice and processes that die. */

const ada = randomUUID()
const bob = randomUUID()
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
let ledger: TestLedger
let router: TestRouter
let owner: Database
let databases: TestDatabase[]
let functions: Record<'create' | 'show' | 'run' | 'sweep', TestFunction>
let asAda: string
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  const [payments, identity] = [await testDatabase('payments'), await testDatabase('identity')]
  databases = [payments, identity]
  owner = openDatabase({ url: payments.ownerUrl, poolMax: 2, name: 'payouts-test', log: silent })
  router = await testRouter()
  for (const operation of [accounts, transfer])
    await router.start(operation, { LEDGER_DATABASE_URL: ledger.database.url })
  const asking = await router.start(users, { IDENTITY_DATABASE_URL: identity.url })
  await addCustomer(bob, 'bob@example.com')
  expect(asking.port).toBeGreaterThan(0)
  await restart()
  asAda = await token({ userId: ada })
})

afterAll(async () => {
  await router.close()
  await owner.close()
  for (const database of databases) await database.drop()
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open({ userId: ada })
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 100_00, { caller_id: ada }))
  router.passage = () => 'pass'
  router.events.length = 0
})

/** Makes a customer whose address is known. */
async function addCustomer(id: string, email: string): Promise<void> {
  const url = databases[1]!.ownerUrl
  const people = openDatabase({ url, poolMax: 1, name: 'users-test', log: silent })
  await people.query({
    text: `insert into users (id, name, email, email_confirmed_at) values ($1, 'Pia', $2, now())`,
    values: [id, email],
  })
  await people.close()
}

/** Starts the functions anew. The new processes have forgotten that others did not answer. */
async function restart(): Promise<void> {
  const env = { PAYMENTS_DATABASE_URL: databases[0]!.url }
  functions = {
    create: await router.start(createPayout, env),
    show: await router.start(payouts, env),
    run: await router.start(runPayouts, env),
    sweep: await router.start(sweepPayments, env),
  }
}

const item = (given: object = {}) => ({ to_account_id: to, amount: '1.00', ...given })

const create = (items: unknown, { key, bearer = asAda, account = from } = {} as Record<string, string>) =>
  functions.create.request('POST', '/payments/payout', {
    token: bearer,
    body: { account_id: account, items },
    ...(key && { headers: { 'idempotency-key': key } }),
  })

const show = (id: string, search = '', bearer = asAda): Promise<Answer> =>
  functions.show.request('GET', `/payments/payout/${id}/status${search}`, { token: bearer })

/** Delivers the event of a payout as the Broker does. */
async function deliver(id: string): Promise<Answer> {
  const event = await until(
    () => router.events.find(({ type, data }) => type === 'payout.requested' && data.payout_id === id),
    { what: `payout.requested of ${id}` },
  )
  const attributes = Object.entries(event.headers).filter(([name]) => name.startsWith('ce-'))
  return functions.run.request('POST', '/events', {
    body: event.data,
    headers: {
      ...(Object.fromEntries(attributes) as Record<string, string>),
      host: 'run-payouts.bank.svc.cluster.local',
    },
  })
}

/** The events that tell of the end of a payout. */
const endsOf = (id: string) =>
  router.events.filter(({ type, data }) => type === 'payout.completed' && data.payout_id === id)

const sweep = (): Promise<Answer> => deliverTick(functions.sweep, 'sweep-payments')

/** Makes a payout look as if its process had died a minute ago. */
const leave = (id: string): Promise<unknown> =>
  owner.query({ text: 'update payouts set claimed_until = now() where id = $1', values: [id] })

const paid = async (): Promise<bigint> => (await ledger.balances(to))[0]!
const problemOf = ({ status, body }: Answer) => [status, body.type?.split('/').at(-1)]

test('a payout is taken at once, and each item has its own outcome', async () => {
  const strange = randomUUID()
  const { status, headers, body } = await create([
    item({ amount: 2.5, note: 'Wages' }),
    item({ to_account_id: strange }),
    { email: 'Bob@example.com', amount: '3.00' },
    { email: 'nobody@example.com', amount: '3.00' },
    // More than there is, whichever item comes first.
    item({ amount: '101.00' }),
  ])
  expect([status, headers.get('location')]).toEqual([202, `/api/payments/payout/${body.id}/status`])
  expect(body).toMatchObject({ status: 'running', counts: { pending: 5, paid: 0, refused: 0 } })
  expect((await deliver(body.id)).status).toBe(204)
  const shown = (await show(body.id)).body
  expect(shown).toMatchObject({ status: 'completed', counts: { pending: 0, paid: 2, refused: 3 } })
  expect(shown.items).toMatchObject([
    { number: 1, status: 'paid', amount: '2.50', note: 'Wages', problem: null },
    { number: 2, status: 'refused', problem: 'account-not-found', transaction_id: null },
    { number: 3, status: 'paid', email: 'bob@example.com'.replace('bob', 'Bob'), to_account_id: null },
    { number: 4, status: 'refused', problem: 'payee-not-found' },
    { number: 5, status: 'refused', problem: 'insufficient-funds' },
  ])
  const total = await ledger.db.query<{ sum: bigint }>({
    text: 'select sum(balance)::bigint as sum from accounts where user_id = $1',
    values: [bob],
  })
  expect(total[0]!.sum).toBeGreaterThanOrEqual(550n)
  const [event] = await until(() => endsOf(body.id).length > 0 && endsOf(body.id), {
    what: 'payout.completed',
  })
  expect(event!.data).toMatchObject({ amount: '5.50', paid: 2, refused: 3 })
  const pages = [(await show(body.id, '?limit=3')).body, (await show(body.id, '?limit=3&cursor=3')).body]
  expect(pages.map(({ items }) => items.length)).toEqual([3, 2])
  expect(pages.map(({ next_cursor }) => next_cursor)).toEqual(['3', null])
})

test('an event that comes twice, also at once, pays nothing twice; nor does a sweep', async () => {
  const { body } = await create(Array.from({ length: 25 }, () => item()))
  await Promise.all([deliver(body.id), deliver(body.id), sweep()])
  await deliver(body.id)
  await until(async () => (await show(body.id)).body.status === 'completed', { what: 'its end' })
  expect(await paid()).toBe(25_00n)
  await until(() => endsOf(body.id).length > 0, { what: 'its event' })
  expect(endsOf(body.id)).toHaveLength(1)
})

test('a thousand items are taken; none is paid to oneself, and what stands there twice is paid twice', async () => {
  const same = item({ amount: '0.03', note: 'Wages' })
  const own = { to_account_id: from, amount: '0.01' }
  const others = Array.from({ length: 997 }, () => item())
  const { status, body } = await create([same, own, same, ...others])
  expect([status, body.counts]).toEqual([202, { pending: 1000, paid: 0, refused: 0 }])
  // A thousand calls take long.
  await owner.query({
    text: `update payout_items set status = 'refused', problem = 'account-closed'
      where payout_id = $1 and number > 3`,
    values: [body.id],
  })
  await sweep()
  const shown = (await show(body.id, '?limit=3')).body
  expect(shown).toMatchObject({ status: 'completed', counts: { paid: 2, refused: 998 } })
  expect(shown.items.map(({ problem }: { problem: unknown }) => problem)).toEqual([
    null,
    'same-account',
    null,
  ])
  expect([await paid(), (await ledger.balances(from))[0]]).toEqual([6n, 99_94n])
})

test('a payout that is sent twice with one key, also at once, is one payout', async () => {
  const key = randomUUID()
  const items = [item()]
  await Promise.all([create(items, { key }), create(items, { key })])
  const again = await create(items, { key })
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true'])
  expect(problemOf(await create([item({ amount: 2 })], { key }))).toEqual([422, 'idempotency-key-reused'])
  await deliver(again.body.id)
  await sweep()
  expect(await paid()).toBe(1_00n)
})

test('while the ledger’s answers are lost, the event is refused; the sweep goes on, and pays nothing twice', async () => {
  const { body } = await create([item(), item(), { email: 'bob@example.com', amount: '1.00' }])
  router.passage = (service) => (service === 'transfer' ? 'lose-answer' : 'pass')
  expect((await deliver(body.id)).status).toBe(503)
  router.passage = () => 'pass'
  await restart()
  // Another process may still be at it.
  await sweep()
  expect((await show(body.id)).body.counts.pending).toBe(3)
  await leave(body.id)
  await sweep()
  expect((await show(body.id)).body).toMatchObject({ status: 'completed', counts: { paid: 3 } })
  const rows = await ledger.db.query({
    text: `select from transactions where metadata ->> 'payout' = $1`,
    values: [body.id],
  })
  expect(rows).toHaveLength(3)
})

test('a payout that was taken up before the clock was set back is paid with the next sweep', async () => {
  const { body } = await create([item()])
  await owner.query({
    text: `update payouts set claimed_until = now() + interval '2 hours 1 minute' where id = $1`,
    values: [body.id],
  })
  await sweep()
  expect((await show(body.id)).body).toMatchObject({ status: 'completed', counts: { paid: 1 } })
})

test('a process that dies at any step leaves nothing unpaid and pays nothing twice', async () => {
  for (const when of ['before', 'after'] as const)
    for (let at = 0; at < 8; at++) {
      const before = await paid()
      const { body } = await create([item({ amount: '0.10' }), item({ amount: '0.20' })])
      const tools = dying(functions.sweep.tools, at, when)
      await takeUpPayouts(tools, traceparent).catch(() => undefined)
      await leave(body.id)
      await sweep()
      const { status, counts } = (await show(body.id)).body
      expect([when, at, status, counts.paid]).toEqual([when, at, 'completed', 2])
      expect([when, at, (await paid()) - before]).toEqual([when, at, 30n])
      const told = await owner.query({
        text: `select from outbox where type = 'payout.completed' and subject = $1`,
        values: [body.id],
      })
      expect([when, at, told.length]).toEqual([when, at, 1])
    }
})

test('an item that was called for too long ago is not repeated', async () => {
  const { body } = await create([item()])
  await owner.query({
    text: `update payout_items set called_at = now() - interval '6 days 1 hour' where payout_id = $1`,
    values: [body.id],
  })
  await sweep()
  expect((await show(body.id)).body.items).toMatchObject([{ status: 'refused', problem: 'outcome-unknown' }])
})

test('a payout whose calls have no outcome keeps the sweep from no other', async () => {
  const stuck = (await create([{ email: 'bob@example.com', amount: '1.00' }])).body.id
  const other = (await create([item()])).body.id
  router.passage = (service) => (service === 'users' ? 'lose-request' : 'pass')
  expect((await sweep()).status).toBe(204)
  expect((await show(other)).body.status).toBe('completed')
  router.passage = () => 'pass'
  await restart()
  await leave(stuck)
  await sweep()
  expect((await show(stuck)).body.status).toBe('completed')
})

test('items that fail by themselves keep none after them from being paid, however many', async () => {
  const { body } = await create([
    ...Array.from({ length: 12 }, () => ({ email: 'bob@example.com', amount: '1.00' })),
    ...[item(), item()],
  ])
  const { tools } = functions.sweep
  const callFor: Tools['callFor'] =
    (...given) =>
    (service, call) => {
      if (service === 'users') throw new TypeError('a defect')
      return tools.callFor(...given)(service, call)
    }
  const payout = (await claimPayout(tools.db, body.id))!
  const ran = runPayout(payout, { ...tools, callFor }, { traceparent, endsAt: Infinity })
  await expect(ran).rejects.toThrow('12 items of a payout have no outcome yet')
  expect((await show(body.id)).body).toMatchObject({
    ...{ status: 'running', counts: { pending: 12, paid: 2, refused: 0 } },
  })
  await leave(body.id)
  await until(async () => (await sweep()) && (await show(body.id)).body.status === 'completed', {
    what: 'its end',
  })
  expect((await show(body.id)).body.counts).toEqual({ pending: 0, paid: 14, refused: 0 })
})

test('items that the ledger can’t decide keep none after them from being paid, however many', async () => {
  const { body } = await create([
    ...Array.from({ length: 12 }, () => item({ note: 'cursed' })),
    ...Array.from({ length: 12 }, () => item()),
  ])
  const { tools } = functions.sweep
  const callFor: Tools['callFor'] =
    (...given) =>
    async (service, call) => {
      const { description } = (call as { body: { description?: string } }).body
      if (description === 'cursed') return { status: 500, headers: {}, body: undefined }
      return tools.callFor(...given)(service, call)
    }
  await until(
    async () => {
      await leave(body.id)
      await takeUpPayouts({ ...tools, callFor }, traceparent)
      return (await show(body.id)).body.counts.paid === 12
    },
    { what: 'the others to be paid' },
  )
  expect((await show(body.id)).body.counts).toEqual({ pending: 12, paid: 12, refused: 0 })
})

test('an item whose payee another process has found meanwhile is not refused', async () => {
  const { body } = await create([{ email: 'nobody@example.com', amount: '1.00' }])
  const { tools } = functions.sweep
  const callFor: Tools['callFor'] =
    (...given) =>
    async (service, call) => {
      if (service === 'users')
        await owner.query({
          text: 'update payout_items set to_account_id = $2 where payout_id = $1',
          values: [body.id, to],
        })
      return tools.callFor(...given)(service, call)
    }
  await takeUpPayouts({ ...tools, callFor }, traceparent)
  expect((await show(body.id)).body.items).toMatchObject([{ status: 'paid', problem: null }])
})

test('nobody can try out addresses: after ten that can’t be paid no other is looked up until tomorrow', async () => {
  const carl = randomUUID()
  const account = await ledger.open({ userId: carl })
  await ledger.post(deposit(account, 100_00, { caller_id: carl }))
  const bearer = await token({ userId: carl })
  const bobs = { email: 'bob@example.com', amount: '1.00' }
  const pay = async (items: object[]) => {
    const { body } = await create(items, { bearer, account })
    await sweep()
    return (await show(body.id, '', bearer)).body.items as Record<string, unknown>[]
  }
  const strangers = Array.from({ length: 10 }, (_, i) => ({ email: `no${i}@example.com`, amount: '1.00' }))
  const problems = (await pay([bobs, ...strangers, bobs])).map(({ problem }) => problem)
  expect(problems.slice(0, 10)).toEqual([null, ...Array<string>(9).fill('payee-not-found')])
  const looked = router.count('users')
  expect(await pay([bobs, item()])).toMatchObject([
    { status: 'refused', problem: 'too-many-unreachable-payees' },
    { status: 'paid' },
  ])
  expect(router.count('users')).toBe(looked)
})

test('of a payee by address, nobody learns that their account is closed or full', async () => {
  const full = randomUUID()
  await addCustomer(full, 'full@example.com')
  await ledger.open({ userId: full, balanceLimit: 5n })
  const { body } = await create([{ email: 'full@example.com', amount: '1.00' }])
  await sweep()
  expect((await show(body.id)).body.items).toMatchObject([{ status: 'refused', problem: 'payee-not-found' }])
})

test('a customer has at most ten running payouts, also if they ask for several at once', async () => {
  const dora = randomUUID()
  const account = await ledger.open({ userId: dora })
  const bearer = await token({ userId: dora })
  const keys = Array.from({ length: 12 }, () => randomUUID())
  const answers = await Promise.all(keys.map((key) => create([item()], { bearer, account, key })))
  const refused = answers.filter(({ status }) => status !== 202)
  expect(refused.map(problemOf)).toEqual(Array(2).fill([409, 'too-many-payouts']))
  await sweep()
  // A refusal is not kept with the key.
  const again = await Promise.all(keys.map((key) => create([item()], { bearer, account, key })))
  expect(again.map(({ status }) => status)).toEqual(Array(12).fill(202))
  await sweep()
})

test('what is not valid, not the caller’s, or seen by another is refused, and pays nothing', async () => {
  const asBob = await token({ userId: bob })
  const wrong = await create([
    item(),
    item({ amount: '0.001' }),
    item({ email: 'b@example.com' }),
    { amount: 1 },
  ])
  expect([wrong.status, wrong.body.errors.map(({ path }: { path: string }) => path)]).toEqual([
    400,
    ['/items/1/amount', '/items/2', '/items/3'],
  ])
  for (const items of [[], [{}], [item({ extra: 1 })], Array.from({ length: 1001 }, () => item()), 'x'])
    expect((await create(items)).status).toBe(400)
  expect(problemOf(await create([item()], { account: to }))).toEqual([404, 'account-not-found'])
  expect(problemOf(await create([item()], { account: randomUUID() }))).toEqual([404, 'account-not-found'])
  expect((await create([item()], { bearer: 'none' })).status).toBe(401)
  const { body } = await create([item()])
  expect(problemOf(await show(body.id, '', asBob))).toEqual([404, 'payout-not-found'])
  expect((await show(body.id, '', 'none')).status).toBe(401)
  expect((await show(body.id, '?cursor=x')).status).toBe(400)
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  expect((await show(body.id, '', operator)).status).toBe(200)
  expect(problemOf(await create([item()], { bearer: operator }))).toEqual([404, 'account-not-found'])
})

test('payouts are listed to their owner and to operators, newest first, with counts', async () => {
  const [carl, other] = [randomUUID(), await ledger.open({ userId: bob })]
  const account = await ledger.open({ userId: carl })
  const asCarl = await token({ userId: carl })
  const [first, second] = [
    (await create([item({ to_account_id: other })], { account, bearer: asCarl })).body,
    (await create([item(), item()], { account, bearer: asCarl })).body,
  ]
  await deliver(first.id)
  const list = async (search = '', bearer: string | undefined = asCarl) =>
    functions.show.request('GET', `/payments/payout${search}`, { ...(bearer && { token: bearer }) })
  const { status, body } = await list()
  expect([status, body.next_cursor]).toEqual([200, null])
  expect(body.items).toMatchObject([
    { ...second, counts: { pending: 2, paid: 0, refused: 0 } },
    { id: first.id, status: 'completed', counts: { pending: 0, paid: 0, refused: 1 } },
  ])
  const page = (await list('?limit=1')).body
  expect([page.items.length, (await list(`?limit=1&cursor=${page.next_cursor}`)).body.items[0].id]).toEqual([
    1,
    first.id,
  ])
  expect((await list('', await token({ userId: randomUUID() }))).body.items).toEqual([])
  const asOperator = await token({ userId: randomUUID(), role: 'operator' })
  expect((await list('?limit=2', asOperator)).body.items).toMatchObject([{ id: second.id }, { id: first.id }])
  expect((await list(`?user_id=${carl}`, asOperator)).body.items).toHaveLength(2)
  expect((await list(`?user_id=${carl.toUpperCase()}`)).body.items).toHaveLength(2)
  expect((await list(`?user_id=${randomUUID()}`, asOperator)).body.items).toEqual([])
  for (const another of [bob, randomUUID()])
    expect(problemOf(await list(`?user_id=${another}`))).toEqual([404, 'not-found'])
  for (const bad of ['?limit=51', '?cursor=x', '?user_id=1']) expect((await list(bad)).status).toBe(400)
  expect((await functions.show.request('GET', '/payments/payout')).status).toBe(401)
})
