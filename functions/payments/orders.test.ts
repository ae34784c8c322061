import { randomUUID } from 'node:crypto'
import { WAITING_LOCKS } from '../../tests/support/databases.ts'
import { token } from '../../tests/support/host.ts'
import cancelOrder from './cancel-order.ts'
import changeOrder from './change-order.ts'
import createOrder from './create-order.ts'
import { lockOrdersOf } from './customers/current-owner.ts'
import orders from './orders.ts'
import {
  ada,
  bob,
  cancel,
  change,
  create,
  created,
  eventsOf,
  from,
  functions,
  ledger,
  owner,
  router,
  setStatus,
  show,
  to,
  useOrders,
  wanted,
} from './testing/orders-fixture.ts'
import { until } from '../../tests/support/until.ts'
import { queueDeliveries } from './web-hooks/queue.ts'

/** Payment orders as customers and operators meet them. How they run: orders/run-orders.test.ts. */

useOrders()

let asBob: string
let asOperator: string
beforeAll(async () => {
  asBob = await token({ userId: bob })
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})

const problemOf = ({ status, body }: { status: number; body: { type?: string } }) => [
  status,
  body.type?.split('/').at(-1),
]
const faults = ({ status, body }: { status: number; body: { errors?: { path: string }[] } }) => [
  status,
  body.errors?.map(({ path }) => path),
]
/** All but the date. */
const NOT_FAKED = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] as const),
  ...(['clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime', 'performance'] as const),
]
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

test('an order says all that was given and what follows from it', async () => {
  const schedule = { every: 'month', on: 31, at: '09:30', time_zone: 'Europe/Berlin', count: 12 }
  const said = { description: 'Rent', payee_name: 'Bob M. S.' }
  const { status, headers, body } = await create(wanted({ amount: 950, ...said, schedule }))
  expect([status, headers.get('location')]).toEqual([201, `/api/orders/${body.id}`])
  expect(body).toMatchObject({
    ...{ user_id: ada, account_id: from, to_account_id: to, amount: '950.00', currency: 'USD' },
    ...{ ...said, missed_runs: 'each', status: 'active', stop_reason: null },
    schedule,
  })
  expect(body.next_due_at).toMatch(/T0[78]:30:00\.000Z$/)
  expect((await show(`/orders/${body.id}`)).body).toEqual(body)
  expect((await show('/orders?limit=1')).body.items).toEqual([body])
  await until(() => eventsOf(body.id).length === 1, { what: 'order.created' })
  const told = router.events.find(({ data }) => data.order_id === body.id)
  expect(told!.data).toMatchObject({ first_due_at: body.next_due_at })
  // The name stays in this context.
  expect(JSON.stringify(router.events)).not.toContain('Bob M.')
  expect((await change(body.id, { amount: '960.00' })).body).toMatchObject({ ...said, amount: '960.00' })
  expect((await create()).body.payee_name).toBeNull()
})

test('what is left out of a schedule is the day of its first date, at six in UTC', async () => {
  const weekly = await create(wanted({ schedule: { every: 'week', from: '2031-02-05' } }))
  expect(weekly.body.schedule).toEqual({
    ...{ every: 'week', on: 3, at: '06:00', time_zone: 'UTC', from: '2031-02-05' },
  })
  expect(weekly.body.next_due_at).toBe('2031-02-05T06:00:00.000Z')
})

test('a schedule that contradicts itself, or never comes, is refused and says where', async () => {
  const refused: [schedule: Record<string, unknown>, path: string][] = [
    [{}, '/schedule'],
    [{ run_at: '2020-01-01T00:00:00Z' }, '/schedule/run_at'],
    [{ run_at: '2199-01-01T00:00:00Z' }, '/schedule/run_at'],
    [{ run_at: '2030-12-31T23:59:60Z' }, '/schedule/run_at'],
    [{ run_at: inAnHour(), every: 'day' }, '/schedule/every'],
    [{ every: 'year' }, '/schedule/every'],
    [{ every: 'day', on: 3 }, '/schedule/on'],
    [{ every: 'week', on: 8 }, '/schedule/on'],
    [{ every: 'month', on: 32 }, '/schedule/on'],
    [{ every: 'day', at: '24:00' }, '/schedule/at'],
    [{ every: 'day', time_zone: 'Mars/Olympus' }, '/schedule/time_zone'],
    [{ every: 'day', from: '2027-02-30' }, '/schedule/from'],
    [{ every: 'day', from: '2199-01-01' }, '/schedule/from'],
    [{ every: 'day', until: '2020-01-01' }, '/schedule'],
    [{ every: 'day', from: '2020-01-01', count: 3 }, '/schedule'],
    [{ every: 'day', count: 0 }, '/schedule/count'],
    [{ every: 'day', count: 10_001 }, '/schedule/count'],
    [{ every: 'day', until: '2031-01-01', count: 3 }, '/schedule/count'],
    [{ every: 'day', minute: 5 }, '/schedule/minute'],
  ]
  for (const [schedule, path] of refused)
    expect([schedule, ...faults(await create(wanted({ schedule })))]).toEqual([schedule, 400, [path]])
  expect(faults(await create(wanted({ amount: '0.001' })))).toEqual([400, ['/amount']])
  for (const payee_name of ['', 'x'.repeat(201), 'Bob\n'])
    expect(faults(await create(wanted({ payee_name })))).toEqual([400, ['/payee_name']])
  expect(faults(await create(wanted({ missed_runs: 'none' })))).toEqual([400, ['/missed_runs']])
})

describe('a preview', () => {
  const preview = (schedule: unknown, sent: { token?: string | undefined } = {}) =>
    create({ schedule }, { ...sent, path: '/orders/preview' })

  test('shows the next five dates on the clocks of the order’s zone, and stores nothing', async () => {
    const { status, body } = await preview({
      ...{ every: 'month', on: 31, at: '09:30', time_zone: 'Europe/Berlin', from: '2031-01-05' },
    })
    expect([status, body]).toEqual([
      200,
      {
        schedule: { every: 'month', on: 31, at: '09:30', time_zone: 'Europe/Berlin', from: '2031-01-05' },
        dates: [
          { due_at: '2031-01-31T08:30:00.000Z', local: '2031-01-31T09:30:00+01:00' },
          { due_at: '2031-02-28T08:30:00.000Z', local: '2031-02-28T09:30:00+01:00' },
          { due_at: '2031-03-31T07:30:00.000Z', local: '2031-03-31T09:30:00+02:00' },
          { due_at: '2031-04-30T07:30:00.000Z', local: '2031-04-30T09:30:00+02:00' },
          { due_at: '2031-05-31T07:30:00.000Z', local: '2031-05-31T09:30:00+02:00' },
        ],
        has_more: true,
      },
    ])
    expect((await show('/orders?status=active')).body.items).toEqual([])
  })

  test('shows the dates that there are, if they are fewer, and what an order is due then', async () => {
    const schedule = { every: 'week', from: '2031-02-05', count: 5 }
    const { body } = await preview(schedule)
    expect([body.dates.length, body.has_more]).toEqual([5, false])
    const id = await created({ schedule })
    const order = (await show(`/orders/${id}`)).body
    expect([body.schedule, body.dates[0].due_at]).toEqual([order.schedule, order.next_due_at])
    const once = await preview({ run_at: '2031-02-05T06:00:00+01:00' })
    expect(once.body).toEqual({
      schedule: { run_at: '2031-02-05T05:00:00.000Z' },
      dates: [{ due_at: '2031-02-05T05:00:00.000Z', local: '2031-02-05T05:00:00+00:00' }],
      has_more: false,
    })
  })

  test('says what is wrong with a schedule, as creating does, and asks for a token', async () => {
    expect(faults(await preview({ every: 'day', until: '2020-01-01' }))).toEqual([400, ['/schedule']])
    expect(faults(await preview({ every: 'week', on: 8 }))).toEqual([400, ['/schedule/on']])
    expect(faults(await preview({ every: 'day', time_zone: 'Mars/Olympus' }))).toEqual([
      400,
      ['/schedule/time_zone'],
    ])
    expect((await preview({ every: 'day' }, { token: undefined })).status).toBe(401)
  })
})

test('what the ledger would refuse for good is refused at once; what may change is not', async () => {
  const euros = await ledger.open({ userId: bob, currency: 'EUR' })
  const account = (given: object) => create(wanted(given as Record<string, unknown>))
  expect(problemOf(await account({ account_id: randomUUID() }))).toEqual([404, 'account-not-found'])
  // Another customer's account.
  expect(problemOf(await account({ account_id: to, to_account_id: from }))).toEqual([
    404,
    'account-not-found',
  ])
  expect(problemOf(await account({ to_account_id: from }))).toEqual([422, 'same-account'])
  expect(problemOf(await account({ to_account_id: euros }))).toEqual([422, 'currency-mismatch'])
  expect((await account({ amount: '1000000.00' })).status).toBe(201)
})

test('a repeated key creates one order, also at once, and also if the ledger says something else by then', async () => {
  const key = randomUUID()
  const body = wanted()
  const at = await Promise.all([create(body, { key }), create(body, { key })])
  await ledger.owner.query({
    text: `select * from change_account('close', $1, null, null, $2, 'left')`,
    values: [to, ada],
  })
  const again = await create(body, { key })
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
  for (const { status, body: other } of at)
    if (status === 201) expect(other.id).toBe(again.body.id)
    else expect(status).toBe(409)
  expect((await create(wanted({ amount: 1 }), { key })).status).toBe(422)
  expect((await show('/orders?status=active')).body.items).toHaveLength(1)
})

test('nobody without a token, and no other customer, sees or changes an order; operators can end it', async () => {
  const id = await created()
  const unknown = [404, 'order-not-found']
  for (const sent of [{ token: asBob }]) {
    expect(problemOf(await show(`/orders/${id}`, sent))).toEqual(unknown)
    expect(problemOf(await show(`/orders/${id}/runs`, sent))).toEqual(unknown)
    expect(problemOf(await change(id, { amount: 1 }, sent))).toEqual(unknown)
    expect(problemOf(await setStatus(id, 'paused', sent))).toEqual(unknown)
    expect(problemOf(await cancel(id, sent))).toEqual(unknown)
    expect((await show('/orders', sent)).body.items).toEqual([])
  }
  const nobody = { token: undefined }
  for (const answer of [
    show('/orders', nobody),
    change(id, {}, nobody),
    cancel(id, nobody),
    create({}, nobody),
  ])
    expect((await answer).status).toBe(401)
  const operator = { token: asOperator }
  expect((await show(`/orders/${id}`, operator)).status).toBe(200)
  expect(problemOf(await change(id, { amount: 1 }, operator))).toEqual(unknown)
  expect((await setStatus(id, 'paused', operator)).body.status).toBe('paused')
  expect((await cancel(id, operator)).body.status).toBe('cancelled')
  const audit = await owner.query({
    text: `select operation, owner_id from audit where subject = $1 order by id`,
    values: [id],
  })
  expect(audit.map(({ operation }) => operation as string)).toEqual([
    createOrder.name,
    orders.name,
    changeOrder.name,
    cancelOrder.name,
  ])
  for (const { owner_id: ownerId } of audit) expect(ownerId).toBe(ada)
})

test('whoever had the password before the owner of the address can only pause and end orders', async () => {
  const id = await created()
  await setStatus(id, 'paused')
  await owner.query({
    text: `insert into web_hook_owners (user_id, renewed_at) values ($1, now() + interval '1 second')`,
    values: [ada],
  })
  try {
    for (const answer of [
      await create(),
      await change(id, { amount: '1.00' }),
      await setStatus(id, 'active'),
    ])
      expect(problemOf(answer)).toEqual([401, 'unauthenticated'])
    expect((await show('/orders?status=active')).body.items).toEqual([])
    expect((await show(`/orders/${id}`)).body).toMatchObject({ status: 'paused', amount: '10.00' })
    expect((await setStatus(id, 'paused')).status).toBe(200)
    expect((await cancel(id)).status).toBe(200)
  } finally {
    await owner.query({ text: 'delete from web_hook_owners' })
  }
})

test('an order that is made while a new owner takes the address is paused, or refused', async () => {
  const waiting = async () => (await owner.query({ text: WAITING_LOCKS })).length
  const newOwner = {
    ...{ event_source: 'test', event_id: randomUUID(), event_type: 'password.changed', bodies: [] },
    ...{ userLeft: undefined, newOwner: { user_id: ada, since: inAnHour() }, traceparent: '' },
  }
  try {
    const both = await owner.transaction(async (tx) => {
      await lockOrdersOf(tx, ada)
      const creating = create()
      await until(async () => (await waiting()) === 1, { what: 'the order to wait' })
      const renewing = queueDeliveries(functions.create.tools.db, [newOwner])
      await until(async () => (await waiting()) === 2, { what: 'the event to wait' })
      return [creating, renewing] as const
    })
    await Promise.all(both)
    expect((await show('/orders?status=active')).body.items).toEqual([])
  } finally {
    await owner.query({ text: 'delete from web_hook_owners' })
  }
})

test('an order that is made with an earlier token before the new owner is known here is paused then', async () => {
  // Tokens have whole seconds.
  const since = new Date((Math.floor(Date.now() / 1000) + 1) * 1000).toISOString()
  await until(() => Date.now() > Date.parse(since))
  const [earlier, later] = [
    await created(),
    (await create(wanted(), { token: await token({ userId: ada }) })).body.id as string,
  ]
  const newOwner = {
    ...{ event_source: 'test', event_id: randomUUID(), event_type: 'password.changed', bodies: [] },
    ...{ userLeft: undefined, newOwner: { user_id: ada, since }, traceparent: '' },
  }
  try {
    await queueDeliveries(functions.create.tools.db, [newOwner])
    const statusOf = async (id: string) => (await show(`/orders/${id}`)).body.status as string
    expect([await statusOf(earlier), await statusOf(later)]).toEqual(['paused', 'active'])
  } finally {
    for (const id of [earlier, later]) await cancel(id)
    await owner.query({ text: 'delete from web_hook_owners' })
  }
})

test('a list is of one user, or of one account that they pay from or to, and reading it is in the audit', async () => {
  const operator = { token: asOperator }
  const one = await created()
  const { id: back } = (await create(wanted({ account_id: to, to_account_id: from }), { token: asBob })).body
  await setStatus(one, 'paused')
  const ids = async (query: string, sent = operator): Promise<string[]> =>
    (await show(`/orders?${query}`, sent)).body.items.map(({ id }: { id: string }) => id)
  // They have those of the tests before, too.
  const hers = await ids(`user_id=${ada}`)
  expect([hers[0], hers.includes(back)]).toEqual([one, false])
  expect(await ids(`user_id=${bob}`)).toEqual([back])
  for (const account of [from, to]) expect(await ids(`account_id=${account}`)).toEqual([back, one])
  expect(await ids(`account_id=${from}&status=active`)).toEqual([back])
  expect(await ids(`account_id=${randomUUID()}`)).toEqual([])
  // Whoever it pays, others see nothing of it.
  expect(await ids(`account_id=${from}`, { token: asBob })).toEqual([back])
  expect(problemOf(await show(`/orders?user_id=${ada}`, { token: asBob }))).toEqual([404, 'not-found'])
  expect(faults(await show('/orders?account_id=x', operator))).toEqual([400, ['/account_id']])
  const audit = await owner.query({
    text: `select subject, owner_id, outcome from audit where route = 'GET /orders' and details ->> 'status' is null
      and (owner_id = $1 or subject = $2) order by id`,
    values: [ada, from],
  })
  expect(audit).toEqual([
    { subject: null, owner_id: ada, outcome: 'read' },
    { subject: from, owner_id: null, outcome: 'read' },
  ])
})

test('amount, text, schedule and policy can be changed; an order that ended can’t', async () => {
  const id = await created()
  const changed = await change(id, {
    ...{ amount: '12.5', description: 'More', missed_runs: 'last' },
    schedule: { every: 'week', on: 1, from: '2030-01-01' },
  })
  expect(changed.body).toMatchObject({ amount: '12.50', description: 'More', missed_runs: 'last' })
  expect(changed.body.next_due_at).toBe('2030-01-07T06:00:00.000Z')
  expect((await show(`/orders/${id}`)).body).toEqual(changed.body)
  expect((await change(id, {})).status).toBe(400)
  expect((await change(id, { account_id: to })).status).toBe(400)
  expect((await setStatus(id, 'cancelled')).status).toBe(400)
  expect(faults(await change(id, { schedule: { every: 'day', until: '2020-01-01' } }))[0]).toBe(400)
  await cancel(id)
  const again = await cancel(id)
  expect([again.status, again.body.status]).toEqual([200, 'cancelled'])
  await until(() => eventsOf(id).includes('order.cancelled'), { what: 'order.cancelled' })
  expect(eventsOf(id).filter((type) => type === 'order.cancelled')).toHaveLength(1)
  expect(problemOf(await change(id, { amount: 1 }))).toEqual([409, 'order-ended'])
  expect(problemOf(await setStatus(id, 'active'))).toEqual([409, 'order-ended'])
})

test('a request that is repeated when its moment has passed gets its first answer', async () => {
  let seconds = 1
  // On a busy machine the moment may pass before both are answered.
  const { schedule, order, first, patch, changed } = await until(async () => {
    const soon = { run_at: new Date(Date.now() + (seconds *= 2) * 1000).toISOString() }
    const [orderKey, patchKey] = [randomUUID(), randomUUID()]
    const answer = await create(wanted({ schedule: soon }), { key: orderKey })
    const another = await change(answer.body.id, { schedule: soon }, { key: patchKey })
    const isTaken = answer.status === 201 && another.status === 200
    return isTaken && { schedule: soon, order: orderKey, first: answer, patch: patchKey, changed: another }
  })
  await until(async () => (await create(wanted({ schedule }))).status === 400, {
    everyMs: 250,
    what: 'the moment to pass',
  })
  expect((await create(wanted({ schedule }), { key: order })).body).toEqual(first.body)
  expect((await change(first.body.id, { schedule }, { key: patch })).body).toEqual(changed.body)
})

test('what is written to the payee is not in the audit', async () => {
  const id = await created({ description: 'For your operation' })
  await change(id, { description: 'For your operation' })
  const audit = await owner.query<{ details: Record<string, unknown> }>({
    text: `select details from audit where subject = $1`,
    values: [id],
  })
  expect(audit.map(({ details }) => details.description)).toEqual(['(given)', '(given)'])
})

test('a customer has at most 200 open orders, also if they ask for several at once', async () => {
  await owner.query({
    text: `insert into payment_orders (user_id, account_id, to_account_id, amount, currency, run_at, missed_runs)
      select $1, $2, $3, 1, 'USD', now(), 'each' from generate_series(1, 199)`,
    values: [ada, from, to],
  })
  const answers = await Promise.all([create(), create(), create()])
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
  expect(answers.map(problemOf)).toContainEqual([409, 'too-many-orders'])
})

test('if the ledger does not answer, nothing is created', async () => {
  router.passage = () => 'lose-answer'
  expect((await create()).status).toBe(503)
  expect((await show('/orders?status=active')).body.items).toEqual([])
})

test('what is to come, the clock of the database says, not that of a process', async () => {
  const schedule = { run_at: new Date(Date.now() + 5 * 60_000).toISOString() }
  const id = await created({ schedule })
  await setStatus(id, 'paused')
  // One that is still good then.
  const asHer = { token: await token({ userId: ada }) }
  jest.useFakeTimers({ now: Date.now() + 10 * 60_000, doNotFake: NOT_FAKED })
  try {
    expect((await create(wanted({ schedule }), asHer)).status).toBe(201)
    expect((await change(id, { schedule }, asHer)).status).toBe(200)
    expect((await setStatus(id, 'active', asHer)).body.status).toBe('active')
  } finally {
    jest.useRealTimers()
  }
})
