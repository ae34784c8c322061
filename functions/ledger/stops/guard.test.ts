import { randomUUID } from 'node:crypto'
import { until } from '../../../tests/support/until.ts'
import type { Database } from '../../host/database/database.ts'
import { createLog } from '../../../monitoring/log.ts'
import { createPoster } from '../posting/post.ts'
import { createSubjectPoster } from '../posting/subjects.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import {
  deposit,
  ending,
  placing,
  reversal,
  silent,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { setFee } from '../testing/policies-fixture.ts'
import { createGuard } from './guard.ts'
import { LedgerStoppedError } from './stopped.ts'
import { sweepChecks, takeStep } from './sweep-checks.ts'

/** Somebody changes the books by hand: the checks find it, and stop exactly that currency. */

let ledger: TestLedger
/** Accounts of Alice, in dollars (900.00 and 100.00) and in euros (500.00). */
let from: string
let to: string
let inEuro: string

beforeEach(async () => {
  ledger = await testLedger()
  from = await ledger.open()
  to = await ledger.open()
  inEuro = await ledger.open({ currency: 'EUR' })
  await ledger.post(
    deposit(from, 900_00),
    deposit(to, 100_00),
    deposit(inEuro, 500_00, { currency: 'EUR' }),
    transfer(from, to, 1_00),
    transfer(from, to, 2_00),
  )
  const holds = [placing(from, 5_00), placing(from, 6_00), placing(from, 7_00)]
  await ledger.post(...holds)
  await ledger.post(ending('capture', holds[0]!, 4_00, { to_account_id: to }), ending('release', holds[1]!))
  const reversed = transfer(from, to, 3_00)
  await ledger.post(reversed)
  await ledger.post(reversal(reversed, false))
})
afterEach(() => ledger.close())

const outbox = { publish: () => {} } as never

/** Changes the books as an owner can who switches the triggers off. */
async function tamper(text: string, ...values: unknown[]): Promise<void> {
  const tables = ['entries', 'transactions', 'accounts', 'holds', 'hold_entries']
  await ledger.owner.transaction(async (tx) => {
    for (const table of tables) await tx.query({ text: `alter table ${table} disable trigger user` })
    await tx.query({ text, values })
    for (const table of tables) await tx.query({ text: `alter table ${table} enable trigger user` })
  })
}

interface OpenStop {
  id: string
  currency: string
  evidence: { problem: string; account_id?: string; transaction_id?: string }[]
}

const openStops = () =>
  ledger.db.query<OpenStop>({
    text: 'select id, currency, evidence from ledger_stops where lifted_at is null order by id',
  })

/** The faults of all open stops, as `USD row`. */
const stoppedFor = async (): Promise<string[]> =>
  (await openStops()).flatMap(({ currency, evidence }) =>
    evidence.map(({ problem }) => `${currency} ${problem}`),
  )

const check = (...ids: string[]) =>
  ledger.db.query<{ account_id: string; problem: string }>({
    text: 'select account_id, problem from check_accounts($1)',
    values: [ids],
  })

/** Walks through everything, as sweep-ledger and verify-ledger do. */
async function verify(): Promise<void> {
  for (const check of ['chains', 'hold_chains', 'hold_entries', 'counts'] as const)
    while (!(await takeStep(ledger.db, check)).has_ended);
  await takeStep(ledger.db, 'totals')
}

const sweep = () => sweepChecks({ db: ledger.db, log: silent })

async function expectOnlyDollarsStopped(): Promise<void> {
  const key = randomUUID()
  const refused = transfer(from, to, 1, { key })
  await expect(ledger.post(refused)).rejects.toThrow(LedgerStoppedError)
  await expect(ledger.order(transfer(from, to, 1, { key: randomUUID() }))).rejects.toThrow(LedgerStoppedError)
  const keys = await ledger.db.query({
    text: 'select from idempotency_keys where id = idempotency_id($1, $2)',
    values: [refused.key_owner, key],
  })
  expect(keys).toEqual([])
  const [euro] = await ledger.post(deposit(inEuro, 1, { currency: 'EUR' }))
  expect(euro).toMatchObject({ outcome: 'posted' })
}

const lastEntry = `(account_id, version) = ($1::uuid, (select version from accounts where id = $1::uuid))`

test.each([
  ['a balance', 'row', 'update accounts set balance = balance + 1 where id = $1'],
  ['an entry’s amount', 'balance', `update entries set amount = amount + 1 where ${lastEntry}`],
  [
    'an entry’s amount and balance',
    'hash',
    `update entries set amount = amount + 1, balance_after = balance_after + 1 where ${lastEntry}`,
  ],
  ['an entry that is deleted', 'row', `delete from entries where ${lastEntry}`],
  [
    'an entry in the middle that is deleted',
    'gap',
    'delete from entries where account_id = $1 and version = 2',
  ],
  ['a hash', 'hash', `update entries set hash = sha256('another') where ${lastEntry}`],
  ['an entry’s time', 'time', `update entries set created_at = '2000-01-01' where ${lastEntry}`],
  [
    'a transaction’s amount',
    'transaction',
    'update transactions set amount = amount + 1 where account_id = $1',
  ],
  ['a transaction that is deleted', 'transaction', 'delete from transactions where account_id = $1'],
  ['money that is held for nothing', 'held', 'update accounts set held = held + 1 where id = $1'],
  ['the account’s last hash', 'row', `update accounts set last_hash = sha256('another') where id = $1`],
  ['an open hold', 'held', `update holds set amount = amount + 1 where account_id = $1 and status = 'open'`],
  ['the account’s version', 'row', 'update accounts set version = version - 1 where id = $1'],
])(
  '%s changed by hand before its check is found by the check of the account',
  async (_what, problem, sql) => {
    await tamper(sql, from)
    expect(await check(from, inEuro)).toEqual([{ account_id: from, problem }])
    await ledger.db.query({
      text: 'select from guard_accounts($1, $2)',
      values: [
        [from, to],
        ['USD', 'EUR'],
      ],
    })
    expect(await stoppedFor()).toContain(`USD ${problem}`)
    await expectOnlyDollarsStopped()
  },
)

test.each([
  ['a balance', 'USD row', 'update accounts set balance = balance + 1 where id = $1'],
  ['held money', 'USD held', 'update accounts set held = held + 1 where id = $1'],
  ['the last entry', 'USD row', 'update accounts set last_hash = sha256(last_hash) where id = $1'],
  [
    'a transaction without entries',
    'USD entries',
    `insert into transactions (id, type, status, account_id, amount, currency, user_id, balance_after, created_at)
      select uuidv7(interval '-1 minute'), 'deposit', 'completed', $1::uuid, 5, 'USD', user_id, 5, now()
      from accounts where id = $1::uuid`,
  ],
])('%s changed by hand after its check is found by the sweep', async (_what, problem, sql) => {
  await sweep()
  await tamper(sql, from)
  await sweep()
  expect(await stoppedFor()).toEqual([problem])
  await sweep()
  expect(await openStops()).toHaveLength(1)
  await expectOnlyDollarsStopped()
})

test.each([
  [
    'an entry’s amount',
    'USD balance',
    'update entries set amount = amount + 1 where account_id = $1 and version = 2',
  ],
  ['a hash', 'USD hash', `update entries set hash = sha256(hash) where account_id = $1 and version = 1`],
  [
    'a hold that has ended',
    'USD hold',
    `update holds set amount = amount + 1 where account_id = $1 and status = 'captured'`,
  ],
  [
    'an entry of a hold',
    'USD hold-chain',
    `update hold_entries set hash = sha256(hash) where account_id = $1 and version = 1`,
  ],
  [
    'a reversal',
    'USD reversal',
    `update transactions set reverses = uuidv7() where account_id = $1 and reverses is not null`,
  ],
  ['a deleted entry', 'USD gap', 'delete from entries where account_id = $1 and version = 1'],
  [
    'a reversal’s accounts',
    'USD reversal',
    `update transactions set account_id = to_account_id, to_account_id = account_id, balance_after = to_balance_after,
      to_balance_after = balance_after
      where account_id = $1 and reverses is not null`,
  ],
  [
    'the end of a hold',
    'USD hold',
    `update holds set ended_at = ended_at + interval '1 ms' where account_id = $1 and status = 'released'`,
  ],
  [
    'how a hold ended',
    'USD hold-chain',
    `update holds set status = 'expired' where account_id = $1 and status = 'released'`,
  ],
  ['a deleted hold', 'USD hold', `delete from holds where account_id = $1 and status = 'released'`],
  [
    'a capture of another hold',
    'USD hold',
    `update transactions set hold_id = uuidv7() where account_id = $1 and hold_id is not null`,
  ],
])('%s changed by hand long after its check is found by the night’s check', async (_what, problem, sql) => {
  await sweep()
  await tamper(sql, from)
  await sweep()
  expect(await stoppedFor()).toEqual([])
  await verify()
  expect([...new Set(await stoppedFor())]).toEqual([problem])
  await expectOnlyDollarsStopped()
})

test('a second transfer that is passed off as the reversal of the first is found in the night', async () => {
  const [first, second] = [transfer(from, to, 3_00), transfer(from, to, 3_00)]
  await ledger.post(first, second)
  await tamper(
    `update transactions t set status = case when id = $1 then 'reversed'::transaction_status else t.status end,
      type = case when id = $2 then 'reversal'::transaction_type else type end,
      reverses = case when id = $2 then $1::uuid end, reversed_by = case when id = $1 then $2::uuid end
    where id in ($1, $2)`,
    first.id,
    second.id,
  )
  expect(await ledger.faults()).toEqual([
    { proof: 'reversals', fault: { transaction_id: second.id, other_id: first.id } },
  ])
  await sweep()
  expect(await stoppedFor()).toEqual([])
  await verify()
  expect(await stoppedFor()).toEqual(['USD reversal'])
})

test('a reversal that keeps the fee, or gives back another, is found', async () => {
  await setFee(ledger, 'transfer', { fixed: 5 })
  const paid = transfer(from, to, 3_00)
  await ledger.post(paid)
  const back = reversal(paid, false)
  await ledger.post(back)
  expect(await ledger.faults()).toEqual([])
  await tamper('update transactions set fee = null where id = $1', back.id)
  const proofs = (await ledger.faults()) as { proof: string }[]
  expect(proofs.map(({ proof }) => proof).sort()).toEqual(['reversals', 'transactions'])
  await verify()
  expect(await stoppedFor()).toEqual(expect.arrayContaining(['USD transaction', 'USD reversal']))
})

test('entries that are there twice are found, although they add up to zero', async () => {
  const posted = transfer(from, to, 3_00)
  await ledger.post(posted)
  await tamper(
    `insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, hash)
      select account_id, version + 1, transaction_id, amount, balance_after + amount, created_at, sha256(hash)
      from entries where transaction_id = $1`,
    posted.id,
  )
  await tamper('update accounts set version = version + 1 where id in ($1, $2)', from, to)
  const [found] = await ledger.owner.query({
    text: 'select fault from examine_transactions($1) fault',
    values: [[posted.id]],
  })
  expect(found).toEqual({ fault: expect.objectContaining({ problem: 'entries', entries: 4, sum: '0' }) })
  expect(await ledger.faults()).toContainEqual({
    proof: 'transactions',
    fault: { transaction_id: posted.id, entry_count: 4, entry_sum: 0 },
  })
})

test('a transaction of long ago that has no entries is found in the night, by the number of all', async () => {
  const walkOthers = async () => {
    for (const check of ['changes', 'outflows', 'seals'] as const)
      while (!(await takeStep(ledger.db, check)).has_ended);
  }
  await verify()
  await walkOthers()
  await sweep()
  await tamper(
    `insert into transactions (id, type, status, account_id, amount, currency, user_id, balance_after, created_at)
      select uuidv7(interval '-1 day'), 'deposit', 'completed', $1::uuid, 5, 'USD', user_id, 5, now() - interval '1 day'
      from accounts where id = $1::uuid`,
    from,
  )
  const due = async () =>
    (await ledger.db.query<{ name: string }>({ text: 'select walk_due() as name' }))[0]!.name
  await ledger.owner.query({ text: `update ledger_checks set checked_at = now() - interval '21 hours'` })
  expect(await due()).toBe('chains')
  await verify()
  await walkOthers()
  expect(await stoppedFor()).toEqual([])
  expect(await due()).toBe('all_transactions')
  while (!(await takeStep(ledger.db, 'all_transactions')).has_ended);
  expect(await stoppedFor()).toEqual(['USD entries'])
  expect(await due()).toBeNull()
})

test('amounts at the end of what a number can be are found, and keep no check from its end', async () => {
  const end = '9223372036854775807'
  await tamper(`update entries set amount = ${end} where account_id = $1 and version = 2`, from)
  await tamper(`update entries set balance_after = -${end} where account_id = $1 and version = 2`, to)
  await tamper(`update hold_entries set amount = ${end}, held_after = ${end} where account_id = $1`, from)
  await tamper(`update accounts set balance = -${end}, kind = 'system' where id = $1`, inEuro)
  await verify()
  await sweep()
  expect((await stoppedFor()).sort()).toEqual(['EUR row', 'USD balance', 'USD balance'])
  const wrong = await ledger.db.query<{ name: string }>({
    text: 'select name from ledger_checks where not ok order by name',
  })
  expect(wrong.map(({ name }) => name)).toEqual(['balances', 'chains', 'hold_chains', 'hold_entries', 'sums'])
})

test('accounts that were frozen, and limits that were counted, by hand are told, but stop nothing', async () => {
  await tamper(`update accounts set status = 'frozen' where id = $1`, from)
  await tamper(`update accounts set status = 'closed' where id = $1`, to)
  await ledger.owner.query({ text: `update accounts set has_limits = true where id = $1`, values: [inEuro] })
  await ledger.owner.query({
    text: `insert into account_limits (account_id, version, valid_from, time_zone, set_by, set_at, reason)
      values ($1, 1, now(), 'UTC', $1, now(), 'a test')`,
    values: [inEuro],
  })
  await ledger.owner.query({ text: `insert into outflows values ($1, now(), 5)`, values: [inEuro] })
  for (const check of ['changes', 'outflows'] as const) while (!(await takeStep(ledger.db, check)).has_ended);
  const rows = await ledger.db.query({
    text: `select name, ok, figures from ledger_checks order by name`,
  })
  expect(rows).toEqual([
    { name: 'changes', ok: false, figures: { changes: 0, faults: 2 } },
    { name: 'outflows', ok: false, figures: { accounts: 1, left_out: 0, faults: 1 } },
  ])
  const proofs = (await ledger.faults()) as { proof: string }[]
  expect([...new Set(proofs.map(({ proof }) => proof))].sort()).toEqual(['changes', 'outflows'])
  expect(await openStops()).toEqual([])
})

test('money out of thin air, with all that belongs to it but its other side, is found by the sums', async () => {
  await tamper(
    `with t as (
        insert into transactions (id, type, status, account_id, amount, currency, user_id, balance_after, created_at)
        select uuidv7(), 'deposit', 'completed', id, 5, 'USD', user_id, balance + 5, posted_at + interval '1 ms'
        from accounts where id = $1::uuid returning *
      ), e as (
        insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, hash)
        select a.id, a.version + 1, t.id, 5, a.balance + 5, t.created_at,
          entry_hash(a.last_hash, a.id, a.version + 1, t.id, 5, a.balance + 5, t.created_at)
        from accounts a join t on t.account_id = a.id returning *
      )
      update accounts a set balance = e.balance_after, version = e.version, last_hash = e.hash, posted_at = e.created_at
      from e where e.account_id = a.id`,
    from,
  )
  expect(await check(from)).toEqual([])
  await sweep()
  expect(await stoppedFor()).toEqual(['USD sum'])
})

test('a poster checks what it has posted, off the way of the postings', async () => {
  const said: string[] = []
  const log = createLog({}, 'error', (line) => void said.push(line))
  const guard = createGuard({ db: ledger.db, log }, 1)
  await tamper('update accounts set balance = balance + 1 where id = $1', from)
  await ledger.post(withdrawal(from, 1))
  guard.note([withdrawal(from, 1)])
  await until(async () => (await openStops()).length > 0, { what: 'the stop' })
  expect(await stoppedFor()).toEqual(['USD balance'])
  await until(() => said.length > 0, { what: 'a line in the log' })
  expect(said.join()).toMatch(/the ledger has stopped.*"currency":"USD"/)
})

test('a guard does not wait if it has noted very many accounts', async () => {
  const guard = createGuard({ db: ledger.db, log: silent }, 1_000_000_000)
  const unknown = Array.from({ length: 20_000 }, () => transfer(randomUUID(), from, 1))
  guard.note([...unknown, deposit(to, 1)])
  await until(async () => (await ledger.db.query({ text: 'select from checked' })).length === 2, {
    what: 'the accounts that exist to be checked',
  })
  expect(await openStops()).toEqual([])
})

test('a poster’s guard checks what was posted, cash too', async () => {
  const queries: unknown[][] = []
  const db: Database = {
    ...ledger.db,
    query: (statement) => {
      if (statement.name === 'guard-accounts') queries.push(statement.values!)
      return ledger.db.query(statement)
    },
  }
  const poster = createPoster({ db, outbox, log: silent }, undefined, createGuard({ db, log: silent }, 1))
  await Promise.all([poster.post(deposit(to, 1)), poster.post(transfer(to, from, 1))])
  await until(() => new Set(queries.flat(2)).size === 3, { what: 'all accounts to be checked' })
  expect(new Set(queries.flat(2))).toEqual(new Set([from, to, 'USD']))
})

test('a stop refuses only its own currency, also within one batch, and orders wait', async () => {
  const poster = createPoster({ db: ledger.db, outbox, log: silent })
  await ledger.db.query({ text: `select stop_ledger('USD', 'a test', null, $1)`, values: [randomUUID()] })
  const euros = Array.from({ length: 20 }, () => deposit(inEuro, 1, { currency: 'EUR' }))
  const dollars = Array.from({ length: 20 }, () => transfer(from, to, 1))
  const mixed = euros.flatMap((euro, i): PostingRequest[] => [euro, dollars[i]!])
  const results = await Promise.allSettled(mixed.map((request) => poster.post(request)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
  results.forEach((result, i) => {
    if (i % 2 === 1) expect(result).toMatchObject({ reason: expect.any(LedgerStoppedError) })
    else expect(result).toMatchObject({ value: { outcome: 'posted' } })
  })
  expect(await ledger.balances(from, inEuro)).toEqual([893_00n, 500_20n])
})

test('a stop of all currencies refuses each', async () => {
  await ledger.db.query({ text: `select stop_ledger(null, 'a test', null, $1)`, values: [randomUUID()] })
  for (const request of [transfer(from, to, 1), deposit(inEuro, 1, { currency: 'EUR' })])
    await expect(ledger.post(request)).rejects.toThrow(LedgerStoppedError)
})

test('stops are append-only: only the end can be written, once', async () => {
  const [stop] = await ledger.db.query<{ id: string }>({
    text: `select id from stop_ledger('USD', 'a test', null, $1)`,
    values: [randomUUID()],
  })
  const change = (set: string) =>
    ledger.owner.query({ text: `update ledger_stops set ${set} where id = '${stop!.id}'` })
  const MB001 = { code: 'MB001' }
  await expect(change(`reason = 'another'`)).rejects.toMatchObject(MB001)
  await expect(ledger.owner.query({ text: 'delete from ledger_stops' })).rejects.toMatchObject(MB001)
  await expect(ledger.owner.query({ text: 'truncate ledger_stops' })).rejects.toMatchObject(MB001)
  const lift = `lifted_at = now(), lifted_by = uuidv7(), lift_reason = 'done'`
  await expect(change(`${lift}, currency = null`)).rejects.toMatchObject(MB001)
  await change(lift)
  await expect(change(lift)).rejects.toMatchObject(MB001)
  await expect(change(`lifted_at = null, lifted_by = null, lift_reason = null`)).rejects.toMatchObject(MB001)
})

test('parallel postings of all kinds, with all checks running all the time, never stop anything', async () => {
  const ids = [from, to]
  for (let n = 0; n < 6; n++) ids.push(await ledger.open({ overdraftLimit: 100n }))
  const posters = [1, 2].map(() => createSubjectPoster({ db: ledger.db, outbox, log: silent }))
  const holds: PostingRequest[] = []
  const moved: PostingRequest[] = []
  await setFee(ledger, 'transfer', { fixed: 2, share: 10_000 })
  await setFee(ledger, 'deposit', { fixed: 1 })
  await setFee(ledger, 'withdrawal', { fixed: 3 })
  let isPosting = true
  const pick = () => ids[Math.floor(Math.random() * ids.length)]!
  const amount = () => 1 + Math.floor(Math.random() * 200)
  const take = <Item>(items: Item[]) => items.splice(Math.floor(Math.random() * items.length), 1)[0]
  const request = (): PostingRequest => {
    const kind = Math.random()
    const hold = kind < 0.3 && take(holds)
    if (hold && kind < 0.2)
      return ending('capture', hold, 1 + Math.floor(Math.random() * Number(hold.amount)), {
        to_account_id: pick(),
      })
    if (hold) return ending('release', hold)
    const original = kind < 0.4 && take(moved)
    if (original) return reversal(original, original.type === 'deposit')
    if (kind < 0.55) return placing(pick(), amount(), { expires_in: 1 })
    if (kind < 0.65) return deposit(pick(), amount())
    if (kind < 0.75) return withdrawal(pick(), amount(), { value_date: '2026-01-31' })
    return transfer(pick(), pick(), amount())
  }
  const post = async (n: number) => {
    for (let round = 0; round < 40; round++)
      await Promise.all(
        Array.from({ length: 25 }, async () => {
          const sent = request()
          const { outcome } = await posters[n]!.post(sent)
          if (outcome === 'posted' && sent.step === 'place') holds.push(sent)
          else if (outcome === 'posted' && sent.type && sent.type !== 'reversal') moved.push(sent)
        }),
      )
  }
  const checking = async () => {
    while (isPosting) {
      await ledger.db.query({ text: 'select from guard_accounts($1, $2)', values: [ids, ['USD', 'EUR']] })
      await sweep()
      for (const check of ['chains', 'hold_chains', 'hold_entries', 'counts', 'outflows'] as const)
        await takeStep(ledger.db, check)
      await ledger.db.query({ text: 'select expire_holds()' })
    }
  }
  const checks = [checking(), checking()]
  await Promise.all([post(0), post(1)]).finally(() => (isPosting = false))
  await Promise.all(checks)
  await verify()
  expect(await stoppedFor()).toEqual([])
  const [found] = await ledger.db.query<{ ok: boolean }>({
    text: 'select bool_and(ok) as ok from ledger_checks',
  })
  expect(found).toEqual({ ok: true })
  expect(await ledger.faults()).toEqual([])
})
