import { randomInt, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { loginOperator, startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import type { Answer } from './support/host.ts'
import { whileKilling } from './support/killing.ts'
import { checkSeals, whileSealing } from './support/sealing.ts'
import { until } from './support/until.ts'

/** What stays true while processes die: money is conserved, no account goes below its limit, each key moves
 * money once and costs its fee once, no more goes out of an account than its limits allow, no hold stays
 * behind that was captured, no transaction is reversed twice, each completed transaction has exactly one
 * notification, and all is sealed under one tree that only grows. */

const ACCOUNTS = 10
const TRANSFERS = 200
const EACH = 50_00
const REVERSED = 20
/** What each transfer and capture costs, in cents. */
const FEE = 7
/** In cents. The first account has a limit for a day, the next two for one transaction. */
const DAY_MAX = 300_00
const TRANSACTION_MAX = 20_00

interface Order {
  key: string
  from: number
  to: number
  amount: string
  isHeld: boolean
}

const nameOf = ({ status, body }: Answer): unknown => (status < 400 ? status : body.type.split('/').at(-1))

describe.each([
  ['over RabbitMQ', [] as string[]],
  ['over the queue in Postgres', ['--queue', 'postgres']],
])('%s', (_queue, args) => {
  let bank: Bank
  let operator: string
  let customers: Customer[]
  let accounts: { id: string; owner: Customer }[]
  /** How many requests were answered, repeats included. */
  let answers = 0
  const asked = new Map<string, Answer[]>()

  beforeAll(async () => {
    bank = await startBank({ args })
    operator = await loginOperator(bank)
    // Looks up the bank on each call, because a test starts another.
    const current: Pick<Bank, 'call' | 'url'> = {
      call: (...given) => bank.call(...given),
      get url() {
        return bank.url
      },
    }
    customers = [
      await registerCustomer(current),
      await registerCustomer(current),
      await registerCustomer(current),
    ]
    accounts = []
    for (let n = 0; n < ACCOUNTS; n++) {
      const owner = customers[n % customers.length]!
      accounts.push({ id: await owner.openAccount('checking'), owner })
    }
    for (const { id, owner } of accounts) {
      await owner.transact({ type: 'deposit', account_id: id, amount: EACH / 100 })
    }
    await setPolicies()
  })

  afterAll(async () => {
    await bank?.stop()
    // A bank that was started on a given folder does not remove it.
    if (bank) rmSync(bank.dataDir, { recursive: true, force: true })
  })

  async function setPolicies(): Promise<void> {
    const put = async (path: string, body: object): Promise<void> => {
      const answer = await bank.call('PUT', `/api${path}`, {
        token: operator,
        body: { reason: 'drill', ...body },
      })
      expect(answer.status).toBe(200)
    }
    await put('/fees', { currency: 'USD', type: 'transfer', rules: { fixed: FEE / 100 } })
    // Where it is early in the day, so that the test does not run over midnight.
    const time_zone = new Date().getUTCHours() < 12 ? 'UTC' : 'America/Los_Angeles'
    for (const [n, { id }] of accounts.slice(0, 3).entries()) {
      const limit = n === 0 ? { day_max: DAY_MAX / 100 } : { transaction_max: TRANSACTION_MAX / 100 }
      await put(`/accounts/${id}/limits`, { ...limit, time_zone })
    }
  }

  /** Moves the money of an order: by a transfer, or by a hold that is captured. */
  async function settle({ key, from, to, amount, isHeld }: Order): Promise<Answer> {
    const { id, owner } = accounts[from]!
    const toAccount = { to_account_id: accounts[to]!.id }
    if (!isHeld)
      return send(owner.token, '/transactions', key, {
        type: 'transfer',
        account_id: id,
        ...toAccount,
        amount,
      })
    const hold = await send(owner.token, '/holds', `hold-${key}`, { account_id: id, amount })
    return hold.status === 201 ? send(owner.token, `/holds/${hold.body.id}/capture`, key, toAccount) : hold
  }

  /** Sends a request until its answer is final, as a client must that got no answer or a 503. */
  async function send(token: string, path: string, key: string, body: object): Promise<Answer> {
    const final = await until(
      async () => {
        const headers = { 'idempotency-key': key }
        const answer = await bank.call('POST', `/api${path}`, { token, body, headers })
        const isFinal = answer.status < 500 && !/in-use$/.test(answer.body.type ?? '')
        return isFinal && answer
      },
      { timeoutMs: 240_000, everyMs: 100, what: `an answer for ${key}` },
    )
    answers++
    return final
  }

  /** Sends all transfers at once, every third one twice. */
  async function transferAll(): Promise<void> {
    const orders = Array.from({ length: TRANSFERS }, (): Order => {
      const from = randomInt(ACCOUNTS)
      const to = (from + 1 + randomInt(ACCOUNTS - 1)) % ACCOUNTS
      const amount = (randomInt(1, 30_00) / 100).toFixed(2)
      return { key: randomUUID(), from, to, amount, isHeld: randomInt(4) === 0 }
    })
    await Promise.all(
      orders.flatMap((order, n) =>
        Array.from({ length: n % 3 === 0 ? 2 : 1 }, async () => {
          const answer = await settle(order)
          asked.set(order.key, [...(asked.get(order.key) ?? []), answer])
        }),
      ),
    )
  }

  /** Reverses some of the transfers, each of them three times at once. */
  async function reverseSome(): Promise<void> {
    const posted = [...asked.values()].flatMap(([answer]) =>
      answer!.status === 201 ? [answer!.body.id as string] : [],
    )
    await Promise.all(
      posted.slice(0, REVERSED).map(async (id) => {
        const answers = await Promise.all(
          [1, 2, 3].map((n) =>
            send(operator, `/transactions/${id}/reverse`, `${id}-${n}`, { reason: 'drill' }).then(nameOf),
          ),
        )
        // If one did it, the others are refused; none did it if the payee has spent the money.
        const done = answers.filter((name) => name === 201)
        expect(done.length).toBeLessThanOrEqual(1)
        for (const name of answers) expect([201, 'already-reversed', 'insufficient-funds']).toContain(name)
      }),
    )
  }

  async function checkMoney(): Promise<void> {
    let cents = 0
    for (const customer of customers) {
      for (const balance of Object.values(await customer.balances())) {
        expect(Number(balance)).toBeGreaterThanOrEqual(0)
        cents += Math.round(Number(balance) * 100)
      }
    }
    const [fees] = await bank.sql<{ taken: number; due: number }>(
      'ledger',
      `select (select balance from accounts where account_type = 'fees')::integer as taken,
        ${FEE} * (select count(*) from transactions where type = 'transfer' and status = 'completed')::integer as due`,
    )
    expect(fees!.taken).toBe(fees!.due)
    expect(cents + fees!.taken).toBe(ACCOUNTS * EACH)
    await checkLimits()
    expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
    // Each key has one answer. Each transfer that was answered with 201 is in the ledger once, and no other
    // transfer is.
    const moved = new Set<string>()
    for (const answers of asked.values()) {
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.id ?? body.type}`)).size).toBe(1)
      if (answers[0]!.status === 201) moved.add(answers[0]!.body.id as string)
    }
    const booked = await bank.sql<{ id: string }>(
      'ledger',
      `select id from transactions where type = 'transfer'`,
    )
    expect(new Set(booked.map(({ id }) => id))).toEqual(moved)
  }

  /** What the limits count is what has gone out, and it is within them. Some were refused because of them. */
  async function checkLimits(): Promise<void> {
    expect(await bank.sql('ledger', 'select * from verify_outflows()')).toEqual([])
    const [first, ...next] = accounts.slice(0, 3).map(({ id }) => `'${id}'`)
    const [used] = await bank.sql<{ day: number; most: number }>(
      'ledger',
      `select coalesce(sum(amount) filter (where account_id = ${first}), 0)::integer as day,
          coalesce(max(amount) filter (where account_id in (${next.join()})), 0)::integer as most
        from transactions where type = 'transfer'`,
    )
    expect(used!.day).toBeLessThanOrEqual(DAY_MAX)
    expect(used!.most).toBeLessThanOrEqual(TRANSACTION_MAX)
    const names = [...asked.values()].flatMap((answers) => answers.map(nameOf))
    expect(names).toContain('transaction-limit-exceeded')
  }

  async function checkNotifications(): Promise<void> {
    const completed = await bank.sql<{ id: string }>('ledger', 'select id from transactions')
    const notified = () =>
      bank.sql<{ subject: string }>(
        'notifications',
        `select subject from notifications where event_type like 'transaction.%'`,
      )
    await until(async () => (await notified()).length >= completed.length, {
      // An event whose deliveries were killed rests longer before each next one.
      ...{ timeoutMs: 240_000, everyMs: 250 },
      what: `${completed.length} notifications`,
    })
    expect((await notified()).map(({ subject }) => subject).sort()).toEqual(
      completed.map(({ id }) => id).sort(),
    )
  }

  /** What the meter has counted, in its turns before and after it was killed, is what the ledger has, to the
   * cent. Its own turns stay a minute behind; now that all is quiet, one more counts the rest. */
  async function checkFacts(): Promise<void> {
    const counted = await bank.sql<{ name: string; value: string }>(
      'ledger',
      `select concat_ws(' ', name, labels ->> 'type', labels ->> 'status') as name, value::float8::text as value
        from count_facts(clock_timestamp()) where name like 'microbank_transaction%' and value > 0 order by 1`,
    )
    const booked = await bank.sql<{ name: string; value: string }>(
      'ledger',
      `with outcomes as (
          select type, amount, status <> 'rejected' as is_completed from transactions
          where status <> 'pending' and user_id <> '00000000-0000-0000-0000-000000000000'
        )
        select concat_ws(' ', 'microbank_transactions_total', type,
          case when is_completed then 'completed' else 'rejected' end) as name, count(*)::float8::text as value
        from outcomes group by 1
        union all
        select concat_ws(' ', 'microbank_transaction_amount_total', type), (sum(amount) / 100.0)::float8::text
        from outcomes where is_completed group by 1
        order by 1`,
    )
    expect(booked.length).toBeGreaterThanOrEqual(4)
    expect(counted).toEqual(booked)
  }

  test('of 200 parallel transfers, a third of them sent twice, each key moves money once', async () => {
    await transferAll()
    await checkMoney()
    await checkNotifications()
  })

  test('C3: the same holds while function processes, the queue and the databases are killed', async () => {
    const servers = [
      ...(args.length === 0 ? [{ afterKills: 1, pid: bank.rabbitmqPid }] : []),
      { afterKills: 4, pid: bank.postgresPid },
    ]
    const transferAgainAndAgain = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) await transferAll()
    }
    await whileKilling(bank, { answers: () => answers, servers }, () =>
      whileSealing(() => bank, transferAgainAndAgain),
    )
    await checkMoney()
    await checkNotifications()
    await checkSeals(bank, operator, accounts)
  })

  test('reversed from several sides while they are killed, each transaction is reversed once', async () => {
    await whileKilling(
      bank,
      { answers: () => answers, servers: [{ afterKills: 1, pid: bank.postgresPid }] },
      reverseSome,
    )
    await checkMoney()
    await checkNotifications()
  })

  test('after kill -9 of the whole runtime, with its meter, the next start cleans up, and nothing is missing', async () => {
    const before = answers
    const storm = whileSealing(() => bank, transferAll)
    await until(() => answers > before + TRANSFERS / 2, { what: 'half of the answers' })
    await bank.kill()
    bank = await startBank({ dataDir: bank.dataDir, args })
    await storm
    await checkMoney()
    await checkNotifications()
    await checkSeals(bank, operator, accounts)
    await checkFacts()
  })
})
