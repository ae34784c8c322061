import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { token, type Answer } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { startSealer } from './testing/seals-fixture.ts'
import statementOperation from './statement.ts'
import { alice, deposit, transfer, withdrawal } from './testing/ledger-fixture.ts'
import { testStatements, type TestStatements } from './testing/statement-fixture.ts'

const bob = randomUUID()
let statements: TestStatements
let ask: TestStatements['ask']
let ledger: TestStatements['ledger']

beforeAll(async () => {
  statements = await testStatements()
  ;({ ask, ledger } = statements)
})

afterAll(() => statements?.stop())

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of memory that are in use, without those that can be collected. */
function liveBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Begins to read a statement, and takes no more of it. Resolves when it has begun. */
const readSlowly = (account: string, bearer: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(statements.host.port, '127.0.0.1', () =>
      socket.write(
        `GET /accounts/${account}/statement HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${bearer}\r\n\r\n`,
      ),
    )
    socket.once('data', (head: Buffer) => {
      socket.pause()
      if (head.toString().startsWith('HTTP/1.1 200 ')) resolve(socket)
      else reject(new Error(`expected 200, got ${head.toString('latin1', 0, 15)}`))
    })
    socket.on('error', reject)
  })

interface Entry {
  version: number
  booked_at: string
  amount: string
  balance_after: string
}

/** Checks that opening and entries come to closing, and that head and entries agree. */
function expectSound({ body }: Answer): void {
  const cents = (amount: string): number => Math.round(Number(amount) * 100)
  let balance = cents(body.opening_balance)
  let version = body.from_version
  for (const entry of body.entries as Entry[]) {
    balance += cents(entry.amount)
    version++
    expect([entry.version, cents(entry.balance_after)]).toEqual([version, balance])
  }
  expect([version, balance]).toEqual([body.to_version, cents(body.closing_balance)])
  const sums = { credits: { count: 0, cents: 0 }, debits: { count: 0, cents: 0 } }
  for (const { amount } of body.entries as Entry[]) {
    const sum = amount.startsWith('-') ? sums.debits : sums.credits
    sum.count++
    sum.cents += Math.abs(cents(amount))
  }
  for (const name of ['credits', 'debits'] as const)
    expect({ count: body[name].count, cents: cents(body[name].sum) }).toEqual(sums[name])
}

describe('who may read a statement', () => {
  test('nobody without a token', async () => {
    const account = await ledger.open()
    const answer = await statements.host.request('GET', `/accounts/${account}/statement`)
    expect(answer.status).toBe(401)
  })

  test('not another customer, to whom the account looks as if it were not there', async () => {
    const account = await ledger.open()
    const theirs = await ask(account, {}, { token: await token({ userId: bob }) })
    const none = await ask(randomUUID())
    expect([theirs.status, none.status]).toEqual([404, 404])
    expect(theirs.body).toEqual(none.body)
  })

  test('the owner and operators, who see the same', async () => {
    const account = await ledger.open()
    await ledger.post(deposit(account, 100))
    const mine = await ask(account)
    const theirs = await ask(account, {}, { token: await token({ userId: bob, role: 'operator' }) })
    expect(mine.status).toBe(200)
    expect(theirs.body).toEqual(mine.body)
    // What an operator reads of a customer is in the audit.
    const read = await ledger.owner.query({
      text: 'select operation, owner_id from audit where subject = $1',
      values: [account],
    })
    expect(read).toEqual([{ operation: 'statement', owner_id: alice }])
  })

  test('nobody of a system account', async () => {
    const account = await ledger.open()
    await ledger.post(deposit(account, 100))
    const [cash] = await ledger.db.query<{ id: string }>({
      text: `select id from accounts where kind = 'system' limit 1`,
    })
    const answer = await ask(cash!.id, {}, { token: await token({ userId: bob, role: 'operator' }) })
    expect(answer.status).toBe(404)
  })
})

test('an account with nothing in it has an empty statement', async () => {
  const account = await ledger.open()
  const { status, headers, body } = await ask(account)
  expect(status).toBe(200)
  expect([headers.get('content-type'), headers.get('vary')]).toEqual([
    'application/json; charset=utf-8',
    'accept',
  ])
  expect(body).toEqual({
    account_id: account,
    account_type: 'checking',
    currency: 'USD',
    basis: 'booking',
    ...{ from: null, to: null, from_version: 0, to_version: 0, known_version: null },
    ...{ opening_balance: '0.00', closing_balance: '0.00' },
    ...{ credits: { count: 0, sum: '0.00' }, debits: { count: 0, sum: '0.00' } },
    ...{ seal: null, checkpoint: null },
    entries: [],
  })
})

test('a statement shows each entry as the account sees it', async () => {
  const [mine, theirs] = [await ledger.open(), await ledger.open({ userId: bob })]
  await ledger.post(
    deposit(mine, 900_00, { description: 'Salary' }),
    withdrawal(mine, 100_00),
    transfer(mine, theirs, 50_25, { description: 'Rent "May"' }),
    transfer(theirs, mine, 25, { caller_id: bob }),
  )
  const answer = await ask(mine)
  expectSound(answer)
  expect(answer.body).toMatchObject({
    ...{ opening_balance: '0.00', closing_balance: '750.00', from_version: 0, to_version: 4 },
    ...{ credits: { count: 2, sum: '900.25' }, debits: { count: 2, sum: '150.25' } },
    entries: [
      { version: 1, type: 'deposit', amount: '900.00', description: 'Salary', counterparty_account_id: null },
      { version: 2, type: 'withdrawal', amount: '-100.00', balance_after: '800.00', description: null },
      { version: 3, type: 'transfer', amount: '-50.25', counterparty_account_id: theirs, fee: false },
      { version: 4, type: 'transfer', amount: '0.25', counterparty_account_id: theirs },
    ],
  })
  for (const { booked_at, value_date } of answer.body.entries) expect(value_date).toBe(booked_at.slice(0, 10))
  expect((await ask(theirs, {}, { token: await token({ userId: bob }) })).body.entries).toMatchObject([
    { version: 1, amount: '50.25', counterparty_account_id: mine },
    { version: 2, amount: '-0.25', counterparty_account_id: mine },
  ])
})

test('a fee stands after its transaction, and is marked', async () => {
  const account = await ledger.open()
  await statements.grow(account, 3)
  await ledger.owner.query({
    text: `insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, hash)
      select account_id, 4, transaction_id, -2, balance_after - 2, created_at, hash
      from entries where account_id = $1 and version = 3`,
    values: [account],
  })
  await ledger.owner.query({
    text: 'update accounts set version = 4, balance = balance - 2 where id = $1',
    values: [account],
  })
  const answer = await ask(account)
  expectSound(answer)
  expect(answer.body.entries.map(({ amount, fee }: Entry & { fee: boolean }) => [amount, fee])).toEqual([
    ['0.05', false],
    ['-0.04', false],
    ['0.05', false],
    ['-0.02', true],
  ])
  expect((await ask(account, { from_version: 3 })).body.entries).toMatchObject([{ version: 4, fee: true }])
})

test('a closed account keeps its statement', async () => {
  const account = await ledger.open()
  await ledger.post(deposit(account, 5), withdrawal(account, 5))
  await ledger.setStatus(account, 'closed')
  const answer = await ask(account)
  expect([answer.status, answer.body.entries.length]).toEqual([200, 2])
})

describe('a period', () => {
  let account: string
  let times: string[]

  beforeAll(async () => {
    account = await ledger.open()
    await statements.grow(account, 9)
    times = (await ask(account)).body.entries.map(({ booked_at }: Entry) => booked_at)
  })

  const versions = async (query: Record<string, string | number>): Promise<number[]> => {
    const answer = await ask(account, query)
    expect(answer.status).toBe(200)
    expectSound(answer)
    return answer.body.entries.map(({ version }: Entry) => version)
  }

  test('begins with what was booked at `from`, and ends before `to`', async () => {
    expect(await versions({ from: times[2]!, to: times[5]! })).toEqual([3, 4, 5])
    expect(await versions({ from: times[2]! })).toEqual([3, 4, 5, 6, 7, 8, 9])
    expect(await versions({ to: times[5]! })).toEqual([1, 2, 3, 4, 5])
    expect(await versions({ from: times[2]!, to: times[2]! })).toEqual([])
    expect(await versions({ from: '2001-01-01', to: '2002-01-01' })).toEqual([])
  })

  test('can be given by the numbers of its entries, which every statement names', async () => {
    expect(await versions({ from_version: 2, to_version: 5 })).toEqual([3, 4, 5])
    expect(await versions({ from_version: 9 })).toEqual([])
    expect(await versions({ from: times[2]!, to_version: 5 })).toEqual([3, 4, 5])
    expect(await versions({ from: times[2]!, to: times[8]!, from_version: 2, to_version: 5 })).toEqual([
      3, 4, 5,
    ])
  })

  test('shows what was known at a moment or version', async () => {
    expect(await versions({ known_version: 4 })).toEqual([1, 2, 3, 4])
    expect(await versions({ known_at: times[3]! })).toEqual([1, 2, 3, 4])
    expect(await versions({ from: times[5]!, known_at: times[3]! })).toEqual([])
  })

  test('a statement that is asked for by its period and versions is the same, byte by byte, whatever was posted since', async () => {
    for (const format of ['json', 'csv', 'pdf', 'camt.053']) {
      const query = { from: times[1]!, to: times[7]!, from_version: 1, to_version: 7, format }
      const before = await ask(account, query)
      await ledger.post(deposit(account, 1))
      expect(before.status).toBe(200)
      expect((await ask(account, query)).body).toEqual(before.body)
    }
  })

  const future = '2999-01-01T00:00:00Z'
  test.each([
    [{ from: 'yesterday' }, '/from'],
    [{ from: '2026-02-30' }, '/from'],
    [{ to: '2026-13-01' }, '/to'],
    [{ from: '0000-01-01' }, '/from'],
    [{ from: '0000-01-01', basis: 'value' }, '/from'],
    [{ to: '0000-12-31', basis: 'value' }, '/to'],
    [{ to: '-0001-12-31', basis: 'value' }, '/to'],
    [{ to: '10000-01-01', basis: 'value' }, '/to'],
    [{ known_at: '0000-01-01T00:00:00Z' }, '/known_at'],
    [{ from: '2026-02-01', to: '2026-01-31' }, '/to'],
    [{ to: future }, '/to'],
    [{ known_at: future }, '/known_at'],
    [{ from_version: -1 }, '/from_version'],
    [{ from_version: 1.5 }, '/from_version'],
    [{ from_version: 3, to_version: 2 }, '/to_version'],
    [{ to_version: 1_000 }, '/to_version'],
    [{ from_version: 1_000 }, '/from_version'],
    [{ known_version: 1_000 }, '/known_version'],
    [{ known_version: 1, known_at: '2026-01-01T00:00:00Z' }, '/known_version'],
    [{ basis: 'gut' }, '/basis'],
    [{ format: 'docx' }, '/format'],
    [{ until: '2026-01-01' }, '/until'],
  ])('%j is refused', async (query, path) => {
    const { status, body } = await ask(account, query as Record<string, string>)
    expect([status, body.errors?.[0]?.path]).toEqual([400, path])
  })

  test('must be the one that its versions are in', async () => {
    const early = await ask(account, { from: times[4]!, from_version: 2 })
    expect([early.status, early.body.errors]).toMatchObject([400, [{ path: '/from_version' }]])
    const late = await ask(account, { to: times[4]!, to_version: 8 })
    expect([late.status, late.body.errors]).toMatchObject([400, [{ path: '/to_version' }]])
  })
})

test('while money moves, opening and entries come to closing, and adjacent statements join without a gap', async () => {
  const [mine, other] = [await ledger.open(), await ledger.open()]
  await ledger.post(deposit(mine, 1_000_00), deposit(other, 1_000_00))
  let isOver = false
  const move = async (): Promise<void> => {
    while (!isOver) await ledger.post(transfer(mine, other, 3), transfer(other, mine, 2), deposit(mine, 1))
  }
  const moving = [move(), move(), move()]
  try {
    let from = '2001-01-01T00:00:00.000Z'
    let before: Answer['body'] = { to_version: 0, closing_balance: '0.00' }
    for (let n = 0; n < 8; n++) {
      // As late as it can be: entries from before it may not have been committed yet.
      const [row] = await ledger.db.query<{ now: Date }>({ text: 'select now()' })
      const to = row!.now.toISOString()
      const answer = await ask(mine, { from, to })
      expect(answer.status).toBe(200)
      expectSound(answer)
      expect([answer.body.from_version, answer.body.opening_balance]).toEqual([
        before.to_version,
        before.closing_balance,
      ])
      from = to
      before = answer.body
      const whole = await ask(mine)
      expectSound(whole)
      await until(async () => (await ask(mine, { from })).body.entries.length > 0)
    }
  } finally {
    isOver = true
    await Promise.all(moving)
  }
})

describe('the format', () => {
  let account: string
  beforeAll(async () => {
    account = await ledger.open()
    await ledger.post(deposit(account, 12_34))
  })

  test.each([
    ['json', 'application/json; charset=utf-8', undefined],
    ['csv', 'text/csv; charset=utf-8; header=present', 'csv'],
    ['pdf', 'application/pdf', 'pdf'],
    ['camt.053', 'application/xml; charset=utf-8', 'xml'],
  ])('%s is chosen by its name, whatever Accept says', async (format, mediaType, extension) => {
    const answer = await ask(account, { format }, { accept: 'text/html' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, mediaType])
    expect(answer.headers.get('content-disposition')).toBe(
      extension ? `attachment; filename="statement-${account}.${extension}"` : null,
    )
    expect(answer.headers.has('content-length')).toBe(false)
  })

  test.each([
    ['text/csv', 'text/csv'],
    ['application/pdf, */*;q=0.1', 'application/pdf'],
    ['text/csv;q=0.4, application/xml;q=0.6', 'application/xml'],
    ['text/xml', 'application/xml'],
    ['text/csv;q=0, */*', 'application/json'],
    ['*/*', 'application/json'],
    ['', 'application/json'],
  ])('is chosen by Accept: %s', async (accept, mediaType) => {
    const answer = await ask(account, {}, { accept })
    expect(answer.headers.get('content-type')!.split(';')[0]).toBe(mediaType)
  })

  test('must be one that there is', async () => {
    const { status, body } = await ask(account, {}, { accept: 'image/png, text/csv;q=0' })
    expect([status, body.type]).toEqual([406, 'https://microbank.dev/problems/not-acceptable'])
  })

  test('limits a PDF, which says which formats have no limit', async () => {
    const long = await ledger.open()
    await statements.grow(long, 1_001)
    const { status, body } = await ask(long, { format: 'pdf' })
    expect([status, body.type]).toEqual([422, 'https://microbank.dev/problems/statement-too-long'])
    expect(body.detail).toMatch(/at most 1000 entries.*1001/)
    const csv = await ask(long, { format: 'csv' })
    expect(csv.body.split('\r\n')).toHaveLength(1_001 + 6)
  })
})

describe('a statement that is being read', () => {
  let long: string
  beforeAll(async () => {
    long = await ledger.open({ userId: bob })
    await statements.grow(long, 120_000)
  })

  test('takes no more memory the longer it is', async () => {
    const operator = await token({ userId: randomUUID(), role: 'operator' })
    const { ask, host } = statements
    const formats = ['json', 'csv', 'camt.053']
    // Once each, so that everything is loaded and compiled.
    for (const format of formats) await ask(long, { format, to_version: 5_000 }, { token: operator })
    for (const format of formats) {
      const before = liveBytes()
      let [bytes, measured, most] = [0, 0, 0]
      await new Promise<void>((resolve, reject) => {
        const socket = connect(host.port, '127.0.0.1', () =>
          socket.write(
            `GET /accounts/${long}/statement?format=${format} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer ${operator}\r\n\r\n`,
          ),
        )
        socket.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes < measured + 15_000_000) return
          measured = bytes
          most = Math.max(most, liveBytes() - before)
        })
        socket.on('error', reject)
        socket.on('close', () => resolve())
      })
      expect(bytes).toBeGreaterThan(20_000_000)
      expect([format, Math.max(0, most - 15_000_000)]).toEqual([format, 0])
    }
  })

  test('holds no connection to the database, however slowly it is read', async () => {
    const bobsToken = await token({ userId: bob })
    // Each has its place before anybody else asks: a request that came between would take the place of one.
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => readSlowly(long, bobsToken)))
    // The most that one caller may read at once.
    const sixth = await until(async () => {
      const answer = await ask(long, { to_version: 1 }, { token: bobsToken })
      return answer.status === 429 && answer
    })
    expect(sixth.body.type).toBe('https://microbank.dev/problems/too-many-requests')
    expect(sixth.headers.get('retry-after')).toBe('5')
    // The pool has four connections. Somebody else gets an answer all the same.
    const account = await ledger.open()
    expect((await ask(account)).status).toBe(200)
    await until(async () => {
      const [busy] = await ledger.owner.query<{ count: bigint }>({
        text: `select count(*) from pg_stat_activity
          where datname = current_database() and application_name = 'statement' and state <> 'idle'`,
      })
      return busy!.count === 0n
    })
    for (const client of clients) client.destroy()
    await until(async () => (await ask(long, { to_version: 1 }, { token: bobsToken })).status === 200)
  })

  test('takes a place before anything is read, and what was refused is in no audit', async () => {
    const [userId, unknown] = [randomUUID(), randomUUID()]
    const operator = await token({ userId, role: 'operator' })
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => readSlowly(long, operator)))
    // An account that isn't there would be looked up.
    expect((await ask(unknown, {}, { token: operator })).status).toBe(429)
    expect((await ask(long, {}, { token: operator })).status).toBe(429)
    const audited = await ledger.owner.query({
      text: 'select operation from audit where caller_id = $1',
      values: [userId],
    })
    expect(audited).toHaveLength(5)
    for (const client of clients) client.destroy()
    await until(async () => (await ask(unknown, {}, { token: operator })).status === 404)
  })

  test('breaks if the books are damaged, and never looks complete', async () => {
    const account = await ledger.open()
    await statements.grow(account, 2_500)
    const superuser = new URL(ledger.database.superuserUrl)
    superuser.pathname = `/${ledger.database.name}`
    const { Client } = await import('pg')
    const client = new Client({ connectionString: superuser.href })
    await client.connect()
    await client.query('set session_replication_role = replica')
    await client.query('update entries set amount = amount + 1 where account_id = $1 and version = 2000', [
      account,
    ])
    await client.end()
    await expect(ask(account)).rejects.toThrow()
    expect((await ask(account, { to_version: 1_999 })).status).toBe(200)
  })
})

test('as a proof, it has the entries of the period, once they are sealed; by value date it can’t be proved', async () => {
  const account = await ledger.open()
  await ledger.post(deposit(account, 100), deposit(account, 50))
  expect((await ask(account, { format: 'proof' })).body.type).toMatch(/not-yet-sealed$/)
  const sealer = await startSealer(ledger)
  await sealer.seal()
  await sealer.stop()
  const { status, body } = await ask(account, { format: 'proof', from_version: 1 })
  expect([status, body.opening.version, body.entries.length]).toEqual([200, 1, 1])
  expect((await ask(account, { format: 'proof', basis: 'value' })).status).toBe(400)
})

test('a statement has the checkpoint of the first seal over all that it knows of, in every format', async () => {
  const account = await ledger.open()
  const sealer = await startSealer(ledger)
  const formats = ['json', 'csv', 'pdf', 'camt.053']
  const textOf = async (query: Record<string, string | number>): Promise<string> => {
    const { status, body } = await ask(account, query)
    expect(status).toBe(200)
    return typeof body === 'string' ? body : JSON.stringify(body)
  }
  try {
    await ledger.post(deposit(account, 100), deposit(account, 50))
    for (const format of formats) expect(await textOf({ format })).not.toContain('microbank.dev/ledger')
    expect((await ask(account)).body).toMatchObject({ seal: null, checkpoint: null })
    await sealer.seal()
    const sealed = (await ask(account, { to_version: 2 })).body
    const [first] = await ledger.db.query<{ n: bigint; note: string }>({
      text: 'select n, note from seals order by n desc limit 1',
    })
    expect(sealed).toMatchObject({ seal: Number(first!.n), checkpoint: first!.note })

    // What was sealed later changes nothing of it.
    const queries = formats.flatMap((format) => [
      { format, to_version: 2 },
      { format, basis: 'value', known_version: 2 },
    ])
    const textsOf = async (): Promise<string[]> => {
      const texts: string[] = []
      for (const query of queries) texts.push(await textOf(query))
      return texts
    }
    const before = await textsOf()
    await ledger.post(deposit(account, 7))
    await sealer.seal()
    expect(await textsOf()).toEqual(before)
    for (const text of before.filter((text) => !text.startsWith('%PDF-')))
      expect(text).toContain(first!.note.trimEnd().split('\n').at(-1))
    const third = (await ask(account)).body
    expect(third).toMatchObject({ to_version: 3, seal: sealed.seal + 1 })
    // The proof of the same entries is under the last seal, whose tree begins with that of the first.
    expect((await ask(account, { format: 'proof' })).body.checkpoint).toBe(third.checkpoint)
  } finally {
    await sealer.stop()
  }
})

test('the operation is the one that the fixture runs', () => {
  expect(statementOperation.name).toBe('statement')
})
