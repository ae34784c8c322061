import { randomUUID } from 'node:crypto'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'

const bob = randomUUID()
let ledger: TestLedger
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
})
beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 100))
})

const names = async (...requests: PostingRequest[]): Promise<string[]> =>
  (await ledger.post(...requests)).map(({ outcome }) => outcome)

const held = async (account = from): Promise<bigint> => {
  const [row] = await ledger.db.query<{ held: bigint }>({
    text: 'select held from accounts where id = $1',
    values: [account],
  })
  return row!.held
}

const statusOf = async (hold: PostingRequest) => {
  const [row] = await ledger.db.query<{ status: string; captured: bigint | null; transaction_id: string }>({
    text: 'select status, captured, transaction_id from holds where id = $1',
    values: [hold.id],
  })
  return row
}

/** Places a hold that is due at once. */
async function placeDue(amount: number): Promise<PostingRequest> {
  const hold = placing(from, amount)
  expect(await names(hold)).toEqual(['posted'])
  await backdate(hold)
  return hold
}

// Functions never change a hold's expiry; the test does it with the triggers off, as nobody can wait for it.
const backdate = (...holds: PostingRequest[]) =>
  ledger.owner.transaction(async (tx) => {
    await tx.query({ text: 'alter table holds disable trigger append_only_update' })
    await tx.query({
      text: `update holds set expires_at = now() - interval '1 second' where id = any ($1)`,
      values: [holds.map(({ id }) => id)],
    })
    await tx.query({ text: 'alter table holds enable trigger append_only_update' })
  })

describe('a hold', () => {
  test('counts against the available balance, and leaves the balance as it is', async () => {
    const hold = placing(from, 60)
    expect(await names(hold, transfer(from, to, 41), withdrawal(from, 41), placing(from, 41))).toEqual([
      'posted',
      'insufficient-funds',
      'insufficient-funds',
      'insufficient-funds',
    ])
    expect(await ledger.balances(from)).toEqual([100n])
    expect(await names(transfer(from, to, 40))).toEqual(['posted'])
    expect(await held()).toBe(60n)
  })

  test('is captured: the money is transferred, in whole', async () => {
    const hold = placing(from, 60)
    const capture = ending('capture', hold, 60, { to_account_id: to })
    expect([await names(hold), await names(capture)]).toEqual([['posted'], ['posted']])
    expect(await ledger.balances(from, to)).toEqual([40n, 60n])
    expect([await held(), await statusOf(hold)]).toEqual([
      0n,
      { status: 'captured', captured: 60n, transaction_id: capture.id },
    ])
  })

  test('is captured in part: the rest is available again', async () => {
    const hold = placing(from, 100)
    await ledger.post(hold)
    expect(await names(ending('capture', hold, 30, { to_account_id: to }), transfer(from, to, 70))).toEqual([
      'posted',
      'posted',
    ])
    expect(await ledger.balances(from, to)).toEqual([0n, 100n])
  })

  test('is released: all of it is available again', async () => {
    const hold = placing(from, 100)
    await ledger.post(hold)
    expect(await names(ending('release', hold), transfer(from, to, 100))).toEqual(['posted', 'posted'])
    expect(await statusOf(hold)).toMatchObject({ status: 'released', captured: null })
  })

  test('ends once, in one batch and in two', async () => {
    const capture = (hold: PostingRequest) => ending('capture', hold, 10, { to_account_id: to })
    const [first, second] = [placing(from, 30), placing(from, 30)]
    await ledger.post(first, second)
    expect(await names(capture(first), capture(first), ending('release', first))).toEqual([
      'posted',
      'hold-captured',
      'hold-captured',
    ])
    expect(await names(ending('release', second), capture(second))).toEqual(['posted', 'hold-released'])
    expect(await names(capture(first), ending('release', second))).toEqual(['hold-captured', 'hold-released'])
    expect(await ledger.balances(from, to)).toEqual([90n, 10n])
  })

  test('gives no more than it holds, and nothing without a place to go', async () => {
    const hold = placing(from, 50)
    await ledger.post(hold)
    expect(
      await names(
        ending('capture', hold, 51, { to_account_id: to }),
        ending('capture', hold, 50, { to_account_id: from }),
        ending('capture', hold, 50, { to_account_id: randomUUID() }),
        ending('capture', { ...hold, id: randomUUID() }, 50, { to_account_id: to }),
      ),
    ).toEqual(['more-than-held', 'same-account', 'account-not-found', 'hold-not-found'])
    expect(await held()).toBe(50n)
  })

  test('can be used within an overdraft, and its capture is not refused for want of money', async () => {
    const overdrawn = await ledger.open({ overdraftLimit: 50n })
    const hold = placing(overdrawn, 50)
    expect(await names(hold, placing(overdrawn, 1))).toEqual(['posted', 'insufficient-funds'])
    expect(await names(ending('capture', hold, 50, { to_account_id: to }))).toEqual(['posted'])
    expect(await ledger.balances(overdrawn)).toEqual([-50n])
  })

  test('is captured and released by who placed it and by operators, but not by others', async () => {
    const byOperator = { caller_id: randomUUID(), caller_role: 'operator' } as const
    const hold = placing(from, 20, byOperator)
    await ledger.post(hold)
    expect(
      await names(
        ending('release', hold, 20, { caller_id: alice }),
        ending('capture', hold, 20, { to_account_id: to, caller_id: alice }),
        ending('release', hold, 20, { caller_id: bob }),
        ending('capture', hold, 5, { to_account_id: to, ...byOperator }),
      ),
    ).toEqual(['hold-not-yours', 'hold-not-yours', 'account-not-found', 'posted'])
    expect(await names(placing(from, 1, { caller_id: bob }))).toEqual(['account-not-found'])
  })

  test('of a frozen account can be released, but not captured', async () => {
    const hold = placing(from, 20)
    await ledger.post(hold)
    await ledger.setStatus(from, 'frozen')
    expect(
      await names(
        placing(from, 1),
        ending('capture', hold, 20, { to_account_id: to }),
        ending('release', hold),
      ),
    ).toEqual(['account-frozen', 'account-frozen', 'posted'])
  })

  test('with its key takes effect once, at once and later', async () => {
    const again = (request: PostingRequest) => ({ ...request, id: randomUUID() })
    const hold = placing(from, 40, { key: randomUUID() })
    const placed = (await Promise.all([hold, again(hold), again(hold)].map((one) => ledger.post(one)))).flat()
    const [id, ...others] = placed.map((one) => (one.outcome === 'posted' ? one.transactionId : one.outcome))
    expect(others).toEqual([id, id])
    expect(await held()).toBe(40n)

    const first = { ...hold, id: id! }
    const capture = ending('capture', first, 10, { to_account_id: to, key: randomUUID() })
    const outcomes = (await Promise.all([capture, again(capture)].map((one) => ledger.post(one)))).flat()
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['posted', 'posted'])
    expect(outcomes.map(({ replayed }) => replayed).sort()).toEqual([false, true])
    expect(await ledger.balances(from, to)).toEqual([90n, 10n])

    // A refusal is kept with its key, also if it would not be given any more.
    const release = ending('release', first, 40, { key: randomUUID() })
    expect(await ledger.post(release, again(release))).toEqual([
      { outcome: 'hold-captured', replayed: false },
      { outcome: 'hold-captured', replayed: true },
    ])
  })
})

test('an account can have a thousand open holds; then one has to end first', async () => {
  const holds = Array.from({ length: 1_000 }, () => placing(from, 1))
  await ledger.post(deposit(from, 2_000))
  for (let n = 0; n < holds.length; n += 500) await ledger.post(...holds.slice(n, n + 500))
  expect(await names(placing(from, 1))).toEqual(['too-many-holds'])
  await ledger.post(ending('release', holds[0]!))
  expect(await names(placing(from, 1))).toEqual(['posted'])
})

describe('a hold that is due', () => {
  const expire = async (): Promise<number> => {
    const [row] = await ledger.db.query<{ count: number }>({ text: 'select expire_holds() as count' })
    return row!.count
  }

  test('can’t be captured or released, and is ended by the next call', async () => {
    const hold = await placeDue(60)
    expect(await names(ending('capture', hold, 60, { to_account_id: to }), ending('release', hold))).toEqual([
      'hold-expired',
      'hold-expired',
    ])
    expect(await expire()).toBe(1)
    expect([await held(), (await statusOf(hold))?.status]).toEqual([0n, 'expired'])
    expect(await names(ending('release', hold))).toEqual(['hold-expired'])
    expect(await expire()).toBe(0)
  })

  test('keeps nobody from paying', async () => {
    await placeDue(60)
    await placeDue(30)
    expect(await names(transfer(from, to, 1), transfer(from, to, 99), placing(from, 1))).toEqual([
      'posted',
      'posted',
      'insufficient-funds',
    ])
    expect(await held()).toBe(0n)
  })

  test('is ended in steps, however many there are, while captures and payments go on', async () => {
    const holds = Array.from({ length: 900 }, () => placing(from, 1, { expires_in: 3600 }))
    await ledger.post(deposit(from, 2_000))
    for (let n = 0; n < holds.length; n += 300) await ledger.post(...holds.slice(n, n + 300))
    await backdate(...holds)
    const open = placing(from, 7)
    await ledger.post(open)
    const steps = await Promise.all([expire(), expire(), expire(), expire()])
    for (let count = 1; count > 0;) {
      count = await expire()
      steps.push(count)
      await ledger.post(transfer(from, to, 1))
    }
    expect(steps.reduce((sum, count) => sum + count)).toBe(900)
    expect([await held(), (await statusOf(open))?.status]).toEqual([7n, 'open'])
  })

  test('has an event, which a sweep publishes', async () => {
    const hold = await placeDue(60)
    await expire()
    const rows = await ledger.db.query<{ type: string; data: unknown }>({
      text: `select type, data from events_by_id(array(select unnest(event_ids) from outbox_pending where claimed_until <= now()))
        where subject = $1`,
      values: [hold.id],
    })
    expect(rows).toEqual([
      { type: 'hold.expired', data: expect.objectContaining({ hold_id: hold.id, amount: '0.60' }) },
    ])
  })
})

describe('a hold of a broken account that is due', () => {
  let broken: TestLedger
  let [bad, worse, sound, inEuro]: string[] = []

  beforeEach(async () => {
    broken = await testLedger()
    ;[bad, worse, sound] = [await broken.open(), await broken.open(), await broken.open()]
    inEuro = await broken.open({ currency: 'EUR' })
    for (const account of [bad, worse, sound])
      await broken.post(deposit(account!, 100), placing(account!, 60))
    await broken.post(deposit(inEuro, 100, { currency: 'EUR' }), placing(inEuro, 60, { currency: 'EUR' }))
    await broken.owner.transaction(async (tx) => {
      await tx.query({ text: 'alter table holds disable trigger user' })
      await tx.query({ text: 'alter table hold_entries disable trigger user' })
      await tx.query({ text: `update holds set expires_at = now() - interval '1 second'` })
      await tx.query({ text: 'delete from hold_entries where account_id = $1', values: [bad] })
      await tx.query({
        text: 'update hold_entries set held_after = 1 where account_id = $1',
        values: [worse],
      })
    })
  })
  afterEach(() => broken.close())

  const expire = async () =>
    (await broken.db.query<{ count: number }>({ text: 'select expire_holds() as count' }))[0]!.count
  const stuck = async () =>
    (
      await broken.db.query<{ account_id: string }>({
        text: 'select account_id from stuck_holds order by account_id',
      })
    ).map(({ account_id: id }) => id)
  const open = async () => {
    const rows = await broken.db.query<{ account_id: string }>({
      text: `select account_id from holds where status = 'open' order by account_id`,
    })
    return rows.map(({ account_id: id }) => id)
  }

  test('stays, is reported, and keeps no other hold from ending', async () => {
    expect([await expire(), await expire()]).toEqual([2, 0])
    expect(await open()).toEqual([bad, worse])
    expect(await stuck()).toEqual([bad, worse])
    // Later it is tried again, and ends if its account was put right.
    await broken.owner.query({
      text: 'update hold_entries set held_after = 60 where account_id = $1',
      values: [worse],
    })
    expect(await expire()).toBe(0)
    await broken.owner.query({ text: `update stuck_holds set failed_at = now() - interval '16 minutes'` })
    expect([await expire(), await expire()]).toEqual([1, 0])
    expect([await open(), await stuck()]).toEqual([[bad], [bad]])
  })

  test('has no more holds ended at once than usual, however many are due', async () => {
    await broken.post(deposit(sound!, 5_000))
    await broken.owner.transaction(async (tx) => {
      const values = [sound]
      await tx.query({
        text: `insert into holds (id, account_id, amount, currency, user_id, placed_by, created_at, expires_at)
          select uuidv7(), account_id, 1, currency, user_id, user_id, now(), now()
          from holds cross join generate_series(1, 4999) where account_id = $1`,
        values,
      })
      await tx.query({
        text: `insert into hold_entries (id, account_id, version, hold_id, amount, held_after, created_at, hash)
          select uuidv7(), account_id, 2, uuidv7(), 4999, 5059, now(), hash from hold_entries where account_id = $1`,
        values,
      })
      await tx.query({ text: 'update accounts set held = 5059 where id = $1', values })
    })
    expect([await expire(), await stuck()]).toEqual([5_000, [bad, worse]])
    expect([await expire(), await expire()]).toEqual([1, 0])
  })

  test('keeps no other payment of its batch from being posted', async () => {
    const outcomes = await broken.post(withdrawal(bad!, 50), withdrawal(sound!, 90), withdrawal(worse!, 50))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      'insufficient-funds',
      'posted',
      'insufficient-funds',
    ])
    expect(await stuck()).toEqual([bad, worse])
  })

  test('waits while postings of its currency are stopped, as all of them do', async () => {
    const [stop] = await broken.db.query<{ id: string }>({
      text: `select id from stop_ledger('USD', 'a test', null, $1)`,
      values: [randomUUID()],
    })
    expect([await expire(), await expire()]).toEqual([1, 0])
    expect(await open()).toEqual([bad, worse, sound])
    await broken.db.query({
      text: `select resume_ledger($1, $2, 'done', null)`,
      values: [stop!.id, randomUUID()],
    })
    expect([await expire(), await expire()]).toEqual([1, 0])
  })
})

test('what was held is known for any moment', async () => {
  const hold = placing(from, 60)
  const moments: Date[] = []
  const step = async (request: PostingRequest): Promise<void> => {
    const [outcome] = await ledger.post(request)
    moments.push((outcome as { postedAt: Date }).postedAt)
    // Times have milliseconds.
    await ledger.db.query({ text: 'select pg_sleep(0.002)' })
  }
  await step(hold)
  await step(placing(from, 5))
  await step(ending('capture', hold, 20, { to_account_id: to }))
  const at = async (moment: Date): Promise<bigint> => {
    const [row] = await ledger.db.query<{ held: bigint }>({
      text: 'select held_at(accounts, $2) as held from accounts where id = $1',
      values: [from, moment],
    })
    return row!.held
  }
  const before = new Date(moments[0]!.getTime() - 1)
  expect(await Promise.all([before, ...moments].map(at))).toEqual([0n, 60n, 65n, 5n])
})

test('nobody can change what was held, and a change behind the triggers is found', async () => {
  const hold = placing(from, 60)
  await ledger.post(hold)
  for (const text of [
    'delete from holds',
    `update holds set amount = 1`,
    'delete from hold_entries',
    'update hold_entries set amount = 1',
    'truncate hold_entries',
  ]) {
    await expect(ledger.owner.query({ text })).rejects.toMatchObject({ code: 'MB001' })
    await expect(ledger.db.query({ text })).rejects.toThrow('permission denied')
  }
  // What may change when a hold ends; nothing else may.
  const columns = await ledger.owner.query<{ name: string; type: string }>({
    text: `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
      where attrelid = 'holds'::regclass and attnum > 0 and not attisdropped
        and attname not in ('status', 'ended_at', 'captured', 'transaction_id')`,
  })
  expect(columns.length).toBeGreaterThan(8)
  const other = { uuid: `'${bob}'`, bigint: '7', text: `'x'`, 'timestamp with time zone': 'now()' }
  for (const { name, type } of columns)
    await expect(
      ledger.owner.query({
        text: `update holds set status = 'released', ended_at = now(), ${name} = ${other[type as keyof typeof other]}`,
      }),
    ).rejects.toMatchObject({ code: 'MB001' })
  const broken = await testLedger()
  const account = await broken.open()
  const otherHold = placing(account, 5)
  await broken.post(deposit(account, 10), otherHold)
  await broken.owner.query({ text: 'alter table hold_entries disable trigger append_only' })
  await broken.owner.query({ text: `update hold_entries set held_after = 4, amount = 4` })
  await broken.owner.query({ text: `update accounts set held = 4 where id = '${account}'` })
  const proofs = (await broken.faults()) as { proof: string }[]
  expect([...new Set(proofs.map(({ proof }) => proof))].sort()).toEqual([
    'hold chains',
    'hold entries',
    'holds',
  ])
  await broken.close()
})
