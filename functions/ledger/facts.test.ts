import { randomInt, randomUUID } from 'node:crypto'
import { Client } from 'pg'
import type { Sample } from '../../monitoring/catalogue.ts'
import { startFacts } from '../../monitoring/meter/facts.ts'
import { until } from '../../tests/support/until.ts'
import {
  deposit,
  silent,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from './testing/ledger-fixture.ts'

/** The counters of money, held against the rows themselves. */

const SOON = new Date(Date.now() + 3_600_000)
const NIL = '00000000-0000-0000-0000-000000000000'

let ledger: TestLedger
let meter: Client
let account: string

beforeEach(async () => {
  ledger = await testLedger()
  meter = await until(() => connected(ledger.database.meterUrl))
  account = await ledger.open({ overdraftLimit: 10n ** 9n })
})
afterEach(async () => {
  await meter.end().catch(() => undefined)
  await ledger.close()
})

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  // A test kills it.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Makes a UUIDv7 of this time. */
function idOf(timeMs: number): string {
  const digits = timeMs.toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7${randomUUID().slice(15)}`
}

const horizon = async (): Promise<Date> =>
  (await meter.query<{ at: Date }>(`select facts_horizon('50 milliseconds') as at`)).rows[0]!.at

async function count(upto: Date, rowsMax = 100_000): Promise<Sample[]> {
  const { rows } = await meter.query<Sample>('select * from count_facts($1, $2)', [upto, rowsMax])
  return rows.map(({ value, ...row }) => ({ ...row, value: Number(value) }))
}

/** Totals by metric and labels, in one order, without those that are there before anything happens. */
const totals = (samples: readonly Sample[]): Record<string, number> =>
  withZeros(samples.filter(({ value }) => value !== 0))

const withZeros = (samples: readonly Sample[]): Record<string, number> =>
  Object.fromEntries(
    samples
      .filter(({ name }) => name !== 'microbank_facts_horizon_timestamp_seconds')
      .map(({ name, labels, value }): [string, number] => [
        [
          name,
          ...Object.keys(labels)
            .sort()
            .map((label) => labels[label]),
        ].join(' '),
        value,
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** The same, from the rows. */
async function expected(): Promise<Record<string, number>> {
  const rows = await ledger.owner.query<{ name: string; value: string }>({
    text: `
      select concat_ws(' ', 'microbank_transactions_total', currency,
        case when status = 'rejected' then 'rejected' else 'completed' end, type) as name, count(*)::text as value
      from transactions where status <> 'pending' group by 1
      union all
      select concat_ws(' ', 'microbank_transaction_amount_total', currency, type), (sum(amount) / 100.0)::text
      from transactions where status in ('completed', 'reversed') group by 1
      union all
      select concat_ws(' ', 'microbank_events_total', type), count(*)::text from events group by 1`,
  })
  const found = rows.map(({ name, value }): [string, number] => [name, Number(value)])
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('a storm of postings, with sessions killed and meters that come and go: each row and each cent counts once', async () => {
  const other = await ledger.open({ overdraftLimit: 10n ** 9n })
  const superuser = await connected(ledger.database.superuserUrl)
  const databases = { ledger: ledger.database.meterUrl }
  const start = () => startFacts({ databases, log: silent, everyMs: 10, slackMs: 50 })
  let isOver = false
  const killing = (async () => {
    let facts = start()
    for (let kills = 0; !isOver; kills++) {
      // Any session: of a posting, or of a meter between any two steps.
      await superuser.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`)
      const newer = kills % 2 === 0 ? start() : undefined
      if (newer) {
        await facts.stop()
        facts = newer
      }
    }
    await facts.stop()
  })()
  // Ids of the time in which they are posted, of long before, and of no time at all.
  const ids = [() => idOf(Date.now() + 5_000), () => idOf(Date.now() - randomInt(31_000, 9e6)), randomUUID]
  for (let round = 0; round < 30; round++) {
    const amount = () => randomInt(1, 100_000)
    const requests = Array.from({ length: 20 }, (_, i) => {
      const given = { id: ids[randomInt(3)]!() }
      if (i % 3 === 0) return deposit(account, amount(), given)
      return i % 3 === 1 ? withdrawal(other, amount(), given) : transfer(account, other, amount(), given)
    })
    // A session that was killed leaves nothing, or all of its batch.
    await Promise.allSettled([ledger.post(...requests.slice(0, 10)), ledger.post(...requests.slice(10))])
  }
  isOver = true
  await killing
  await superuser.end()
  await meter.end()
  // Few sessions of the meter’s role may be open on a server, and killed ones take a moment to end.
  meter = await until(() => connected(ledger.database.meterUrl))
  const before = totals(await count(await horizon()))
  const found = totals(await count(SOON))
  expect(found).toEqual(await expected())
  expect(found['microbank_transactions_total USD completed transfer']).toBeGreaterThan(0)
  // The storm was counted while it raged, and not only in the end.
  expect(before['microbank_transactions_total USD completed transfer']).toBeGreaterThan(0)
})

test('a transaction that stays open holds the horizon, and counts once after its commit', async () => {
  const slow = await connected(ledger.database.url)
  await slow.query('begin')
  await slow.query(`insert into outbox (type, source, subject, dataschema, partitionkey, data)
    values ('account.opened', 'a', 'b', 'c', 'd', '{}')`)
  await ledger.post(deposit(account, 1, { id: randomUUID() }))
  await ledger.db.query({
    text: `insert into outbox (type, source, subject, dataschema, partitionkey, data)
    values ('account.closed', 'a', 'b', 'c', 'd', '{}')`,
  })
  // Time passes: without the open transaction, the horizon would be past all of them.
  const { rows } = await meter.query<{ at: Date }>('select clock_timestamp() as at')
  await until(
    async () =>
      (await ledger.db.query<{ at: Date }>({ text: 'select now() as at' }))[0]!.at.getTime() >
      rows[0]!.at.getTime() + 200,
  )
  expect(totals(await count(await horizon()))).toEqual({})
  await slow.query('commit')
  await slow.end()
  for (let i = 0; i < 3; i++)
    await until(async () => {
      expect(totals(await count(await horizon()))).toEqual(await expected())
      return true
    })
})

test('an order that is posted hours after it was requested counts once', async () => {
  await ledger.post(deposit(account, 500))
  await count(SOON)
  // Everything of now was counted. This id is older than that, and the posting is later.
  await ledger.owner.query({
    text: `update facts_progress set upto = least_id(now() - interval '1 millisecond')`,
  })
  await ledger.post(deposit(account, 700, { id: idOf(Date.now() - 7_200_000) }))
  await ledger.order(deposit(account, 900, { id: idOf(Date.now() - 7_200_000) }))
  expect(totals(await count(SOON))).toMatchObject({
    'microbank_transactions_total USD completed deposit': 2,
    'microbank_transaction_amount_total USD deposit': 12,
  })
})

test('what was written while the clock was set back is counted when it has gone on, and nothing twice', async () => {
  await ledger.post(deposit(account, 500))
  await count(SOON)
  // An hour back.
  await ledger.post(deposit(account, 700), withdrawal(account, 300))
  const back = await count(new Date())
  expect(totals(back)).toMatchObject({ 'microbank_transactions_total USD completed deposit': 1 })
  expect(
    back.find(({ name }) => name === 'microbank_facts_horizon_timestamp_seconds')!.value * 1_000,
  ).toBeLessThan(SOON.getTime() - 1_000_000)
  // Nothing that comes now is counted, so the horizon stays, and it is known that the facts are stale.
  const horizonOf = (samples: Sample[]) =>
    samples.find(({ name }) => name.startsWith('microbank_facts'))!.value
  expect(horizonOf(await count(new Date(Date.now() + 60_000)))).toBe(horizonOf(back))
  const later = new Date(SOON.getTime() + 1_000)
  for (let i = 0; i < 4; i++) await count(later)
  expect(totals(await count(later))).toEqual(await expected())
})

test('many rows are counted in steps, and a second count from the start changes nothing', async () => {
  for (let i = 0; i < 25; i++) await ledger.post(deposit(account, 100))
  const first = totals(await count(SOON, 10))
  expect(first['microbank_transactions_total USD completed deposit']).toBeLessThan(25)
  await count(SOON, 10)
  await count(SOON, 10)
  const all = await expected()
  expect(totals(await count(SOON, 10))).toEqual(all)
  await meter.query('select * from count_facts($1, 10, true)', [SOON])
  for (let i = 0; i < 3; i++) expect(totals(await count(SOON, 10))).toEqual(all)
  const [progress] = await ledger.owner.query({ text: 'select again_upto from facts_progress' })
  expect(progress).toEqual({ again_upto: null })
})

test('a currency’s counters are there with 0 once it has accounts', async () => {
  const counted = withZeros(await count(SOON))
  expect(counted).toMatchObject({
    'microbank_transactions_total USD completed transfer': 0,
    'microbank_transactions_total USD rejected deposit': 0,
    'microbank_transaction_amount_total USD reversal': 0,
    'microbank_events_total transaction.completed': 0,
  })
  await ledger.open({ currency: 'EUR' })
  await ledger.post(deposit(account, 100))
  expect(withZeros(await count(new Date(SOON.getTime() + 1)))).toMatchObject({
    'microbank_transactions_total EUR completed transfer': 0,
  })
})

test('the meter’s role reads facts, and can neither read nor change anything else', async () => {
  for (const statement of [
    'select * from transactions',
    'select * from accounts',
    `update facts_totals set value = 0`,
    `select facts_since('${NIL}', '${NIL}') from outbox`,
    `insert into outbox_pending (event_ids) values ('{}')`,
  ])
    await expect(meter.query(statement)).rejects.toThrow(/permission denied/)
  // Who can't see all sessions would take a horizon for safe that is not.
  await expect(ledger.db.query({ text: 'select facts_horizon()' })).rejects.toThrow(/pg_read_all_stats/)
})

test('gauges tell of accounts, deposits, sessions, a stop, and books that are wrong', async () => {
  const read = async (): Promise<Record<string, number>> => {
    const { rows } = await meter.query<Sample>('select * from facts() union all select * from slow_facts()')
    return withZeros(rows.map((row) => ({ ...row, value: Number(row.value) })))
  }
  await ledger.post(deposit(account, 12_345))
  await ledger.setStatus(await ledger.open(), 'frozen')
  expect(await read()).toMatchObject({
    'microbank_accounts checking USD open': 1,
    'microbank_accounts checking USD frozen': 1,
    'microbank_accounts_active 1d': 1,
    'microbank_deposits_held USD': 123.45,
    'microbank_holds_amount USD': 0,
    'microbank_ledger_imbalance USD': 0,
    'microbank_ledger_stopped USD': 0,
    microbank_outbox_pending: 1,
    'pg_stat_activity_connections active': 1,
  })
  await ledger.owner.query({
    text: `update accounts set balance = balance + 7 where id = $1`,
    values: [account],
  })
  await ledger.db.query({ text: 'select check_totals()' })
  const broken = await read()
  expect(broken).toMatchObject({
    'microbank_ledger_imbalance USD': 7,
    'microbank_ledger_stopped USD': 1,
    'microbank_ledger_violations limits': 0,
  })
  expect(broken['microbank_ledger_violations sums']).toBeGreaterThan(0)
  expect(broken.microbank_ledger_verified_timestamp_seconds).toBeUndefined()
})
