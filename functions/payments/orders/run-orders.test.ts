import { deposit, withdrawal } from '../../ledger/testing/ledger-fixture.ts'
import { until } from '../../../tests/support/until.ts'
import { runOrders } from './run-orders.ts'
import { dying } from '../testing/dying.ts'
import {
  ada,
  cancel,
  change,
  created,
  eventsOf,
  from,
  functions,
  ledger,
  moveAttempts,
  moveDue,
  owner,
  restart,
  router,
  runsOf,
  secondRunner,
  setStatus,
  show,
  statusesOf,
  tick,
  to,
  useOrders,
  wanted,
} from '../testing/orders-fixture.ts'

/** Payment orders when they are due: over a real ledger, with clocks that are late, answers that are lost and
 * processes that die. */

useOrders()

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const paid = async (): Promise<bigint> => (await ledger.balances(to))[0]!
const order = async (id: string) => (await show(`/orders/${id}`)).body
const published = (id: string, type: string) =>
  until(() => eventsOf(id).includes(type), { what: `${type} of ${id}` })

/** The events that tell of failed runs of an order, once there is one. */
const failuresOf = (id: string) =>
  until(
    () => {
      const told = router.events.filter(({ type, data }) => type === 'order.failed' && data.order_id === id)
      return told.length > 0 && told
    },
    { what: `order.failed of ${id}` },
  )

/** The ledger answers again, and a new process calls it. */
async function recover(): Promise<void> {
  router.passage = () => 'pass'
  await restart()
}

test('an order is paid when it is due, once, however often the tick comes, and moves on to the next day', async () => {
  const id = await created({ description: 'Rent' })
  await tick()
  expect([await paid(), await runsOf(id)]).toEqual([0n, []])
  const before = (await order(id)).next_due_at as string
  await moveDue(id, 1)
  await tick()
  await tick()
  expect(await paid()).toBe(10_00n)
  const [run, ...others] = await runsOf(id)
  expect(others).toEqual([])
  expect(run).toMatchObject({ status: 'paid', attempts: 1, problem: null, amount: '10.00' })
  expect((await order(id)).next_due_at).toBe(before)
  const [transaction] = await ledger.db.query({
    text: 'select description, user_id, metadata from transactions where id = $1',
    values: [run!.transaction_id],
  })
  expect(transaction).toEqual({
    description: 'Rent',
    user_id: ada,
    metadata: { payment_order: id, payment_order_run: run!.id },
  })
  await published(id, 'order.ran')
  expect(eventsOf(id)).toEqual(['order.created', 'order.ran'])
})

test('a run without an outcome keeps no other order from being paid', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => created({ amount: '1.00' })))
  for (const id of ids) await moveDue(id, 1)
  let lost: string | undefined
  router.passage = (_service, key) => (key === (lost ??= key) ? 'lose-request' : 'pass')
  await tick()
  expect(await paid()).toBe(11_00n)
})

test('orders of which no runs can be made keep no other from being paid, however many', async () => {
  const broken = await created()
  const id = await created()
  await moveDue(broken, 2)
  await moveDue(id, 1)
  await owner.query({
    text: `update payment_orders set time_zone = 'Mars/Olympus' where id = $1`,
    values: [broken],
  })
  await owner.query({
    text: `insert into payment_orders (user_id, account_id, to_account_id, amount, currency, every, at_time, time_zone,
        from_date, missed_runs, next_number, next_due_at)
      select user_id, account_id, to_account_id, amount, currency, every, at_time, time_zone, from_date, missed_runs,
        next_number, next_due_at
      from payment_orders, generate_series(1, 60) where id = $1`,
    values: [broken],
  })
  // A slow machine needs more than one tick.
  await until(async () => (await tick()) && (await paid()) === 10_00n, { what: 'the order to be paid' })
  expect(await statusesOf(broken)).toEqual([])
  await change(broken, { schedule: wanted().schedule })
  await moveDue(broken, 1)
  await until(async () => (await tick()) && (await paid()) === 20_00n, { what: 'the other to be paid' })
})

test('a run that fails by itself keeps no other from being paid', async () => {
  const ids = await Promise.all(Array.from({ length: 14 }, () => created({ amount: '1.00' })))
  const broken = ids.slice(0, 12)
  for (const id of broken) await moveDue(id, 2)
  for (const id of ids.slice(12)) await moveDue(id, 1)
  const { tools } = functions.run
  const callFor: typeof tools.callFor =
    (...given) =>
    (service, call) => {
      const { metadata } = (call as { body: { metadata: Record<string, string> } }).body
      if (broken.includes(metadata.payment_order!)) throw new TypeError('a defect')
      return tools.callFor(...given)(service, call)
    }
  // A slow machine needs more than one.
  await until(
    async () => {
      await runOrders({ ...tools, callFor }, TRACEPARENT, { lanes: 1 })
      return (await paid()) === 2_00n
    },
    { what: 'the others to be paid' },
  )
  for (const id of ids) await moveAttempts(id)
  await until(async () => (await tick()) && (await paid()) === 26_00n, { what: 'all to be paid' })
})

test('while postings in one currency are stopped, orders in others are paid', async () => {
  const [kroner, others] = [
    await ledger.open({ currency: 'NOK', userId: ada }),
    await ledger.open({ currency: 'NOK', userId: ada }),
  ]
  await ledger.post(deposit(kroner, 900_00, { caller_id: ada, currency: 'NOK' }))
  const stuck = { account_id: kroner, to_account_id: others, currency: 'NOK', amount: '1.00' }
  const stopped = await Promise.all(Array.from({ length: 12 }, () => created(stuck)))
  const id = await created()
  for (const each of stopped) await moveDue(each, 2)
  await moveDue(id, 1)
  await ledger.owner.query({ text: `insert into ledger_stops (currency, reason) values ('NOK', 'A test')` })
  await runOrders(functions.run.tools, TRACEPARENT, { lanes: 1 })
  expect([await paid(), await statusesOf(id)]).toEqual([10_00n, ['paid']])
  expect(await statusesOf(stopped[0]!)).toEqual(['pending', 'pending'])
})

test('more than ten runs are paid at once', async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => created({ amount: '0.10' })))
  for (const id of ids) await moveDue(id, 1)
  let waiting = 0
  let go = (): void => {}
  const areAll = new Promise<void>((resolve) => (go = resolve))
  const { tools } = functions.run
  const callFor: typeof tools.callFor =
    (...given) =>
    async (...call) => {
      if (++waiting === 30) go()
      await areAll
      return tools.callFor(...given)(...call)
    }
  await runOrders({ ...tools, callFor }, TRACEPARENT)
  expect(await paid()).toBe(3_00n)
})

test('another job of the sweep that fails keeps no order from being paid, and is told', async () => {
  const id = await created()
  await moveDue(id, 1)
  await owner.query({ text: 'alter table payouts rename to lost' })
  try {
    expect((await tick()).status).toBe(500)
  } finally {
    await owner.query({ text: 'alter table lost rename to payouts' })
  }
  expect(await paid()).toBe(10_00n)
})

test('an order for one moment is paid and completed', async () => {
  const id = await created({ schedule: { run_at: new Date(Date.now() + 3_600_000).toISOString() } })
  await moveDue(id, 1)
  await tick()
  expect([await paid(), await statusesOf(id)]).toEqual([10_00n, ['paid']])
  expect(await order(id)).toMatchObject({ status: 'completed', next_due_at: null })
})

test('a run that was called for before the clock was set back is paid with the next tick', async () => {
  const id = await created()
  await moveDue(id, 1)
  router.passage = () => 'lose-request'
  await tick()
  await recover()
  await tick()
  expect(await statusesOf(id)).toEqual(['pending'])
  await owner.query({
    text: `update payment_order_runs set next_attempt_at = next_attempt_at + interval '2 hours' where order_id = $1`,
    values: [id],
  })
  await tick()
  expect([await paid(), await statusesOf(id)]).toEqual([10_00n, ['paid']])
})

test('ticks at once and two runners pay each run once', async () => {
  const ids = await Promise.all(Array.from({ length: 25 }, () => created({ amount: '1.00' })))
  for (const id of ids) await moveDue(id, 1)
  const other = await secondRunner()
  await Promise.all([tick(), tick(other), tick(), tick(other)])
  await tick()
  expect(await paid()).toBe(25_00n)
  for (const id of ids) expect(await statusesOf(id)).toEqual(['paid'])
  await until(() => ids.every((id) => eventsOf(id).includes('order.ran')), { what: 'the events' })
  expect(ids.flatMap(eventsOf).filter((type) => type === 'order.ran')).toHaveLength(25)
  await other.stop()
})

test('after three missed days each run is paid, in order; or only the last, if the order says so', async () => {
  const each = await created({ amount: '1.00' })
  const last = await created({ amount: '5.00', missed_runs: 'last' })
  for (const id of [each, last]) await moveDue(id, 3)
  await tick()
  expect(await statusesOf(each)).toEqual(['paid', 'paid', 'paid'])
  expect(await statusesOf(last)).toEqual(['skipped', 'skipped', 'paid'])
  expect(await paid()).toBe(8_00n)
  const runs = await runsOf(each)
  const posted = await ledger.db.query<{ id: string }>({
    text: `select id from transactions where metadata ->> 'payment_order' = $1 order by id`,
    values: [each],
  })
  expect(runs.map(({ transaction_id }) => transaction_id)).toEqual(posted.map(({ id }) => id))
})

test('more missed days than one step makes up are made up in several, none forgotten', async () => {
  const id = await created({ amount: '0.01' })
  await moveDue(id, 60)
  // A slow machine needs more than one tick.
  await until(async () => (await tick()) && (await paid()) === 60n, { what: 'all days' })
  const runs = await runsOf(id)
  const first = runs[0]!.number as number
  expect(runs.map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, i) => first + i))
  expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['paid']))
  expect(await paid()).toBe(60n)
})

test('what was due while an order was paused is not paid', async () => {
  const id = await created()
  const due = (await order(id)).next_due_at as string
  expect((await setStatus(id, 'paused')).body).toMatchObject({ status: 'paused', next_due_at: null })
  await moveDue(id, 2)
  await tick()
  expect((await setStatus(id, 'active')).body).toMatchObject({ status: 'active', next_due_at: due })
  await tick()
  expect([await paid(), await statusesOf(id)]).toEqual([0n, []])
})

describe('a refusal', () => {
  const empty = () => ledger.post(withdrawal(from, 900_00, { caller_id: ada }))

  test('for lack of money is tried again for days, then the customer is told, and the order goes on', async () => {
    const id = await created()
    await empty()
    await moveDue(id, 1)
    for (let attempt = 1; attempt <= 4; attempt++) {
      await moveAttempts(id)
      await tick()
      const ended = attempt === 4
      expect(await runsOf(id)).toMatchObject([
        { status: ended ? 'failed' : 'pending', attempts: attempt, problem: 'insufficient-funds' },
      ])
      await tick()
    }
    const [failed, ...more] = await failuresOf(id)
    expect(more).toEqual([])
    expect(failed!.data).toMatchObject({ problem: 'insufficient-funds', attempts: 4, is_stopped: false })
    expect((await order(id)).status).toBe('active')
  })

  test('for lack of money is over when the money is there', async () => {
    const id = await created()
    await empty()
    await moveDue(id, 1)
    await tick()
    await ledger.post(deposit(from, 50_00, { caller_id: ada }))
    await tick()
    expect(await paid()).toBe(0n)
    await moveAttempts(id)
    await tick()
    expect([await paid(), await runsOf(id)]).toMatchObject([10_00n, [{ status: 'paid', attempts: 2 }]])
  })

  test('that waiting can’t change stops the order, until its owner resumes it', async () => {
    const id = await created()
    await ledger.owner.query({
      text: `select * from change_account('close', $1, null, null, $2, 'left')`,
      values: [to, ada],
    })
    await moveDue(id, 2)
    await tick()
    expect(await order(id)).toMatchObject({ status: 'stopped', stop_reason: 'account-closed' })
    expect(await statusesOf(id)).toEqual(['failed', 'skipped'])
    const [failed] = await failuresOf(id)
    expect(failed!.data).toMatchObject({ problem: 'account-closed', is_stopped: true })
    expect((await setStatus(id, 'active')).body).toMatchObject({ status: 'active', stop_reason: null })
  })

  test('does not hold up a later run, and a paused or cancelled order is not tried again', async () => {
    const id = await created()
    await empty()
    await moveDue(id, 2)
    await tick()
    expect(await runsOf(id)).toMatchObject([
      { status: 'pending', attempts: 1 },
      { status: 'pending', attempts: 1 },
    ])
    await cancel(id)
    expect(await statusesOf(id)).toEqual(['skipped', 'skipped'])
  })
})

test('a change counts from the next run on: what is due already is paid as it was', async () => {
  const id = await created()
  await moveDue(id, 1)
  router.passage = () => 'lose-request'
  await tick()
  await change(id, { amount: '20.00' })
  await recover()
  await moveAttempts(id)
  await tick()
  expect(await paid()).toBe(10_00n)
  await moveDue(id, 1)
  // A day has one run.
  await owner.query({
    text: `update payment_order_runs set due_at = due_at - interval '1 day' where order_id = $1`,
    values: [id],
  })
  await tick()
  expect(await paid()).toBe(30_00n)
})

describe('if nobody knows the outcome', () => {
  test('the call is repeated with its key, and later runs of the order wait', async () => {
    const id = await created()
    await moveDue(id, 2)
    router.passage = () => 'lose-answer'
    await tick()
    expect([await paid(), await statusesOf(id)]).toEqual([10_00n, ['pending', 'pending']])
    await recover()
    await tick()
    // Not before the minute is over.
    expect(await statusesOf(id)).toEqual(['pending', 'pending'])
    await moveAttempts(id)
    await tick()
    expect([await paid(), await statusesOf(id)]).toEqual([20_00n, ['paid', 'paid']])
  })

  test('a pause does not make it unpaid: a run that has begun is finished', async () => {
    const id = await created()
    await moveDue(id, 1)
    router.passage = () => 'lose-answer'
    await tick()
    await setStatus(id, 'paused')
    await recover()
    await moveAttempts(id)
    await tick()
    expect([await paid(), await statusesOf(id)]).toEqual([10_00n, ['paid']])
  })

  test('for longer than the ledger remembers keys, it is not repeated: the customer must look', async () => {
    const id = await created()
    await moveDue(id, 1)
    router.passage = () => 'lose-answer'
    await tick()
    await owner.query({
      text: `update payment_order_runs set called_at = now() - interval '6 days 1 hour', next_attempt_at = now()
        where order_id = $1`,
      values: [id],
    })
    const calls = router.count('transfer')
    await recover()
    await tick()
    expect(router.count('transfer')).toBe(calls)
    expect([await paid(), await runsOf(id)]).toMatchObject([
      10_00n,
      [{ status: 'failed', problem: 'outcome-unknown', transaction_id: null }],
    ])
  })
})

test('a runner that dies at any step leaves nothing unpaid and pays nothing twice', async () => {
  for (const when of ['before', 'after'] as const)
    for (let at = 0; at < 8; at++) {
      const id = await created({ amount: '0.10' })
      const due = await paid()
      await moveDue(id, 2)
      const tools = dying(functions.run.tools, at, when)
      const died = await runOrders(tools, TRACEPARENT, { lanes: 1 }).then(
        () => false,
        () => true,
      )
      await moveAttempts(id)
      await tick()
      expect([when, at, await statusesOf(id)]).toEqual([when, at, ['paid', 'paid']])
      expect([when, at, (await paid()) - due]).toEqual([when, at, 20n])
      const told = await owner.query({
        text: `select from outbox where type = 'order.ran' and data ->> 'order_id' = $1`,
        values: [id],
      })
      expect([when, at, told.length]).toEqual([when, at, 2])
      if (at < 6) expect([when, at, died]).toEqual([when, at, true])
      await cancel(id)
    }
})
