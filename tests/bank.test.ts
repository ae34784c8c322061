import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transactionCompleted } from '../eventing/contracts/transaction.completed.ts'
import { transactionRequested } from '../eventing/contracts/transaction.requested.ts'
import { signEvent } from '../eventing/signature.ts'
import { boards } from '../monitoring/dashboards/boards.ts'
import { filledIn } from '../monitoring/dashboards/promql.ts'
import { StreamClient } from '../functions/notifications/testing/stream-client.ts'
import { loginOperator, startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import type { Answer } from './support/host.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { packClient } from './support/packed-client.ts'
import { startMonitor, type Monitor } from './support/monitor.ts'
import { read } from './support/repository.ts'
import { signal } from './support/signal.ts'
import { until } from './support/until.ts'
import { sidewaysPx, violations, watchWithAxe } from './web/support/axe.ts'
import { isFault, ready, signIn, WAIT_MS } from './web/support/browser.ts'

/** The whole bank, started as `npm start` starts it, over real Postgres and RabbitMQ. */

let bank: Bank
let monitor: Monitor
let operator: string
let forged: Forged

beforeAll(async () => {
  bank = await startBank({ builds: true })
  monitor = await startMonitor(bank.dataDir)
  operator = await loginOperator(bank)
  forged = await forge()
})

afterAll(async () => {
  await monitor?.stop()
  await bank?.stop()
})

/** Two events that an outsider forged. The Broker takes them. Each becomes a dead letter after its Trigger's
 * last attempt, and the attempts take most of a minute: so they are sent before all tests. */
interface Forged {
  order: string
  fact: string
  ada: Customer
  account: string
  bob: Customer
}

async function forge(): Promise<Forged> {
  const [order, fact] = [randomUUID(), randomUUID()]
  const publish = async (body: object, headers: Record<string, string>) => {
    const { status } = await bank.callHost('default-broker-ingress', 'POST', '/', { body, headers })
    expect(status).toBe(202)
  }
  const ada = await registerCustomer(bank)
  const account = await ada.openAccount('checking')
  const thief = await registerCustomer(bank)
  const loot = await thief.openAccount('checking')
  await ada.transact({ type: 'deposit', account_id: account, amount: '100.00' })
  const transfer = {
    ...transactionRequested.example,
    transaction_id: order,
    transaction_type: 'transfer',
    requested_by: ada.id,
    account_id: account,
    to_account_id: loot,
    amount: '100.00',
  }
  await publish(transfer, {
    'ce-specversion': '1.0',
    'ce-id': order,
    'ce-type': 'transaction.requested',
    'ce-source': '/microbank/ledger',
    'ce-transactiontype': 'transfer',
  })
  const bob = await registerCustomer(bank)
  const completed = {
    specversion: '1.0',
    id: fact,
    type: 'transaction.completed',
    source: '/microbank/ledger',
    datacontenttype: 'application/json',
    data: { ...transactionCompleted.example, user_id: bob.id },
  }
  await publish(completed, { 'content-type': 'application/cloudevents+json' })
  return { order, fact, ada, account, bob }
}

const notificationsOf = async ({ bank }: Customer): Promise<string[]> =>
  (await bank.get('/api/notifications')).items.map(({ message }) => message)

test('a first transfer works: register, log in, two accounts, deposit, transfer, notification', async () => {
  const ada = await registerCustomer(bank)
  const [checking, savings] = [await ada.openAccount('checking'), await ada.openAccount('savings')]
  const deposit = await ada.bank.request('POST /api/transactions', {
    body: { type: 'deposit', account_id: checking, amount: 900 },
  })
  expect(deposit).toMatchObject({ status: 201, body: { status: 'completed', balance_after: '900.00' } })
  const transfer = await ada.bank.post('/api/transactions', {
    body: { type: 'transfer', account_id: checking, to_account_id: savings, amount: '200.00' },
  })
  expect(transfer).toMatchObject({ amount: '200.00', balance_after: '700.00' })
  expect(await ada.balances()).toEqual({ [checking]: '700.00', [savings]: '200.00' })
  await until(async () => (await notificationsOf(ada)).length === 2, { what: 'two notifications' })
  expect((await notificationsOf(ada)).sort()).toEqual([
    'Deposit of $900.00 completed. New balance: $900.00',
    'Transfer of $200.00 completed. New balance: $700.00',
  ])
  const { id } = transfer
  expect(await ada.bank.get('/api/transactions/{id}', { params: { id } })).toMatchObject(transfer)
})

test('the program in the README runs as it stands there, with the client as npm packs it', async () => {
  const [program] = /(?<=```js\n)import [^]*?(?=```)/.exec(read('README.md')) ?? ['']
  expect(
    program!
      .trim()
      .split('\n')
      .filter((line) => line !== '').length,
  ).toBeLessThanOrEqual(10)
  const client = await packClient()
  expect(client.packed).toEqual(expect.arrayContaining(['dist/index.d.ts', 'dist/index.js', 'README.md']))
  expect(client.packed.filter((path) => !/^(dist\/.*|package\.json|README\.md)$/.test(path))).toEqual([])
  await client.check(program!)
  expect(await client.run(program!, bank.url)).toBe('savings 200.00\nchecking 700.00\n')
  client.remove()
})

test('the audit has each step of a first transfer, and who read it, with one trace for the whole way', async () => {
  const ada = await registerCustomer(bank)
  const account = await ada.openAccount('checking')
  const traceId = randomUUID().replaceAll('-', '')
  const deposit = await bank.call('POST', '/api/transactions', {
    token: ada.token,
    body: { type: 'deposit', account_id: account, amount: 900 },
    // A client can't choose the address that is recorded.
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-forwarded-for': '203.0.113.9' },
  })
  await bank.call('GET', `/api/accounts/${account}`, { token: operator })
  const audit = async (search: string) => {
    const { status, body } = await bank.call('GET', `/api/audit?${search}`, { token: operator })
    expect([search, status]).toEqual([search, 200])
    return body.items as Record<string, unknown>[]
  }
  const rows = await audit(`owner=${ada.id}`)
  expect(rows.map(({ context, operation, outcome }) => [context, operation, outcome])).toEqual([
    ['ledger', 'accounts', 'read'],
    ['ledger', 'deposit', 'completed'],
    ['ledger', 'open-account', 'changed'],
    ['identity', 'login', 'changed'],
    ['identity', 'register', 'changed'],
  ])
  for (const row of rows) expect(row.address).toMatch(/^(127\.0\.0\.1|::1)$/)
  expect(rows[0]!.caller_role).toBe('operator')
  expect(rows[1]).toMatchObject({ subject: deposit.body.id, caller_id: ada.id, trace_id: traceId })
  const reading = { outcome: 'read', details: expect.objectContaining({ owner: ada.id }) }
  const readings = (await audit('limit=20')).filter(({ operation }) => String(operation).startsWith('audit-'))
  for (const context of ['identity', 'ledger', 'notifications'])
    expect(readings).toContainEqual(expect.objectContaining({ context, ...reading }))
  expect((await bank.call('GET', '/api/audit', { token: ada.token })).status).toBe(403)
})

test('D4: a client that guesses passwords can’t claim another address, at the front door or at the function itself', async () => {
  const guess = async (n: number, direct: boolean) => {
    const headers = {
      'x-forwarded-for': `203.0.113.${n}, 198.51.100.${n}`,
      'x-microbank-client': `203.0.113.${n} forged`,
      ...(direct && { host: 'login.microbank.localhost' }),
    }
    const body = { email: 'guessed@example.com', password: 'a guess' }
    return (await bank.call('POST', direct ? '/auth/login' : '/api/auth/login', { headers, body })).status
  }
  const statuses = []
  for (let n = 0; n < 8; n++) statuses.push(await guess(n, n % 2 === 1))
  expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429, 429])
  const seen = await bank.sql<{ address: string }>(
    'identity',
    `select distinct data ->> 'client_address' as address from outbox where type = 'login.failed'`,
  )
  expect(seen).toEqual([{ address: '127.0.0.1' }])
})

test('a live stream shows a notification at once through all hops, and goes on where its client left', async () => {
  const ada = await registerCustomer(bank)
  const account = await ada.openAccount('checking')
  const pay = (amount: string) => ada.transact({ type: 'deposit', account_id: account, amount })
  const first = new StreamClient(`${bank.url}/api/notifications/stream`, { token: ada.token })
  await until(() => first.lastId, { what: 'the stream to begin' })
  await pay('1.00')
  await until(() => first.events.length === 1)
  first.close()
  await pay('2.00')
  const messages = [first.events[0]!.data.message as string]
  for await (const { data } of ada.bank.notifications({ lastEventId: first.lastId! })) {
    messages.push(data.message)
    if (messages.length === 2) await pay('4.00')
    else break
  }
  expect(messages).toEqual([
    'Deposit of $1.00 completed. New balance: $1.00',
    'Deposit of $2.00 completed. New balance: $3.00',
    'Deposit of $4.00 completed. New balance: $7.00',
  ])
})

test('the operator opens an account with money in it for a customer', async () => {
  const bob = await registerCustomer(bank)
  const { status, body } = await bank.call('POST', '/api/accounts', {
    token: operator,
    body: { user_id: bob.id, account_type: 'savings', balance: '1000.00' },
  })
  expect([status, body.balance, body.user_id]).toEqual([201, '1000.00', bob.id])
  expect(await bob.balances()).toEqual({ [body.id]: '1000.00' })
  const unknown = await bank.call('POST', '/api/accounts', {
    token: operator,
    body: { user_id: randomUUID(), account_type: 'savings' },
  })
  expect(unknown.status).toBe(422)
})

test('a user with an open account can’t be deleted, a user without one can', async () => {
  const [eve, dan] = [await registerCustomer(bank), await registerCustomer(bank)]
  await eve.openAccount('checking')
  const remove = (id: string) => bank.call('DELETE', `/api/users/${id}`, { token: operator })
  expect(await remove(eve.id)).toMatchObject({
    status: 409,
    body: { type: 'https://microbank.dev/problems/accounts-open' },
  })
  expect((await remove(dan.id)).status).toBe(204)
  // Their token is valid for minutes more, but opens no account once the ledger knows of the deletion.
  const open = { token: dan.token, body: { account_type: 'checking' } }
  const refused = await until(async () => {
    const answer = await bank.call('POST', '/api/accounts', open)
    return answer.status !== 201 && answer
  })
  expect([refused.status, refused.body.type]).toEqual([403, 'https://microbank.dev/problems/customer-left'])
})

test('a user whose account is closed can be deleted, and one whose account is frozen can’t', async () => {
  const eve = await registerCustomer(bank)
  const account = await eve.openAccount('checking')
  await eve.transact({ type: 'deposit', account_id: account, amount: '5.00' })
  const change = (method: string, path: string, body: object, token = operator) =>
    bank.call(method, `/api/accounts/${account}${path}`, { token, body })
  const remove = () => bank.call('DELETE', `/api/users/${eve.id}`, { token: eve.token })
  const typeOf = ({ status, body }: Answer) => [status, body.type.split('/').at(-1)]

  expect(typeOf(await change('POST', '/close', {}, eve.token))).toEqual([409, 'account-not-empty'])
  expect((await change('POST', '/freeze', { reason: 'Card reported stolen' })).status).toBe(200)
  const withdrawal = { type: 'withdrawal', account_id: account, amount: '5.00' }
  expect(typeOf(await eve.transact(withdrawal))).toEqual([409, 'account-frozen'])
  expect(typeOf(await remove())).toEqual([409, 'accounts-open'])
  expect((await change('POST', '/unfreeze', { reason: 'Card found again' })).status).toBe(200)
  const limit = { overdraft_limit: '10.00', reason: 'Salary comes in each month' }
  expect(await change('PATCH', '', limit)).toMatchObject({ status: 200, body: { available: '15.00' } })
  expect((await eve.transact(withdrawal)).status).toBe(201)
  const closed = await change('POST', '/close', {}, eve.token)
  expect(closed).toMatchObject({ status: 200, body: { status: 'closed', balance: '0.00' } })
  const { body } = await bank.call('GET', `/api/accounts/${account}/changes`, { token: eve.token })
  expect(body.items.map(({ to }: { to: string }) => to)).toEqual(['closed', '10.00', 'open', 'frozen'])

  expect((await remove()).status).toBe(204)
  // `close-customer` takes the event, and finds no account that is still theirs.
  const left = `select (select count(*) from accounts a where a.user_id = c.user_id and a.status <> 'closed') as open
    from customers c where c.user_id = '${eve.id}' and c.left_at is not null`
  const [row] = await until(async () => {
    const rows = await bank.sql<{ open: string }>('ledger', left)
    return rows.length > 0 && rows
  })
  expect(row).toEqual({ open: '0' })
})

test('a batch passes the front door whole, moves its money once, and each transaction gets a notification', async () => {
  const ada = await registerCustomer(bank)
  const [checking, savings] = [await ada.openAccount('checking'), await ada.openAccount('savings')]
  const deposit = { type: 'deposit', account_id: checking, amount: '900.00' }
  const transfer = { type: 'transfer', account_id: checking, to_account_id: savings, amount: '0.01' }
  const send = (transactions: unknown[]) =>
    bank.call('POST', '/api/transactions/batch', {
      token: ada.token,
      body: { transactions },
      headers: { 'idempotency-key': `batch-of-${transactions.length}` },
    })

  const few = [deposit, transfer, { ...transfer, amount: '900.00' }, transfer]
  const first = await send(few)
  expect([first.status, first.body.results.map(({ status }: { status: number }) => status)]).toEqual([
    200,
    [201, 201, 409, 201],
  ])
  expect((await send(few)).body).toEqual(first.body)
  const notified = async () =>
    (await bank.call('GET', '/api/notifications', { token: ada.token })).body.items as { message: string }[]
  await until(async () => (await notified()).length === 3, { what: 'three notifications' })

  // The body is larger than the 100 kB that other routes take.
  const thousand = await send(Array(1000).fill(transfer))
  expect([thousand.status, thousand.body.results.length]).toEqual([200, 1000])
  expect(await ada.balances()).toEqual({ [checking]: '889.98', [savings]: '10.02' })
})

test('respond-async: the answer is 202 with a Location, where the transaction is then completed', async () => {
  const ada = await registerCustomer(bank)
  const account = await ada.openAccount('checking')
  const asked = await ada.bank.request('POST /api/transactions', {
    body: { type: 'deposit', account_id: account, amount: '5.00' },
    prefer: 'respond-async',
  })
  expect([asked.status, asked.body.status]).toEqual([202, 'pending'])
  const settled = await until(
    async () => {
      const { body } = await bank.call('GET', asked.location!, { token: ada.token })
      return body.status === 'completed' && body
    },
    { timeoutMs: 240_000, what: 'the deposit to be posted' },
  )
  expect(settled).toMatchObject({ id: asked.body.id, amount: '5.00', balance_after: '5.00' })
  await until(async () => (await notificationsOf(ada)).length === 1)
})

const deadLetter = async (eventId: string) => {
  const { body } = await bank.call('GET', '/api/dead-letters?limit=200', { token: operator })
  return (body.items as { id: string; event_id: string; reason: string | null }[]).find(
    (letter) => letter.event_id === eventId,
  )
}

describe('the Broker’s ingress', () => {
  const event = (userId: string) => ({ ...transactionCompleted.example, user_id: userId })
  const attributes = () => ({
    specversion: '1.0',
    id: randomUUID(),
    type: 'transaction.completed',
    source: '/somebody/else',
  })
  /** Returns the ledger's signature. Its key is in the data folder. */
  const signed = (stated: Record<string, string>, data: string) => {
    const { eventKeys } = JSON.parse(readFileSync(join(bank.dataDir, 'secrets.json'), 'utf8')) as {
      eventKeys: Record<string, string>
    }
    return { ...stated, signature: signEvent(stated, data, eventKeys.ledger!) }
  }
  const ingress = (method: string, path: string, options = {}) =>
    bank.callHost('default-broker-ingress', method, path, options)

  test('takes a binary and a structured event, and a Trigger delivers both', async () => {
    const ada = await registerCustomer(bank)
    const data = JSON.stringify(event(ada.id))
    const headers = Object.fromEntries(
      Object.entries(signed(attributes(), data)).map(([name, value]) => [`ce-${name}`, value]),
    )
    expect((await ingress('POST', '/', { body: data, headers })).status).toBe(202)
    const structured = {
      ...signed(attributes(), data),
      datacontenttype: 'application/json',
      data: event(ada.id),
    }
    const sent = await ingress('POST', '/', {
      body: structured,
      headers: { 'content-type': 'application/cloudevents+json' },
    })
    expect(sent.status).toBe(202)
    await until(async () => (await notificationsOf(ada)).length === 2, { what: 'both notifications' })
  })

  test('answers 405 to GET, 404 to another path and 400 to rubbish', async () => {
    expect((await ingress('GET', '/')).status).toBe(405)
    expect((await ingress('POST', '/other', { body: {} })).status).toBe(404)
    expect((await ingress('POST', '/', { body: '{"a"' })).status).toBe(400)
  })
})

describe('hosts', () => {
  test('A10: each function answers on its own host, at its path and at /', async () => {
    const ada = await registerCustomer(bank)
    const account = await ada.openAccount('checking')
    const body = { account_id: account, amount: '3.00' }
    for (const path of ['/', '/transactions']) {
      const answer = await bank.callHost('deposit', 'POST', path, { token: ada.token, body })
      expect(answer.status).toBe(201)
    }
    expect(await ada.balances()).toEqual({ [account]: '6.00' })
  })

  test('D9: from outside, the functions that only the platform may call don’t exist', async () => {
    expect((await bank.callHost('notify', 'POST', '/events', { body: {} })).status).toBe(404)
    expect((await bank.callHost('sweep-ledger', 'POST', '/events', { body: {} })).status).toBe(404)
    expect((await bank.callHost('dead-letters', 'POST', '/events', { body: {} })).status).toBe(404)
    expect((await bank.callHost('nobody', 'GET', '/')).status).toBe(404)
  })

  test('/health reports each context', async () => {
    const { status, body } = await bank.call('GET', '/health')
    expect(status).toBe(200)
    expect(Object.keys(body.contexts)).toEqual(
      expect.arrayContaining(['identity', 'ledger', 'notifications']),
    )
  })
})

describe('an event that an outsider forges', () => {
  const letterOf = (id: string) =>
    until(() => deadLetter(id), { timeoutMs: 240_000, everyMs: 500, what: 'the dead letter' })

  test('moves no money if it is an order', async () => {
    const { order, ada, account } = forged
    // The dead letter proves that the ledger looked at it.
    await letterOf(order)
    expect(await ada.balances()).toEqual({ [account]: '100.00' })
  })

  test('makes no notification if it is a fact, but becomes a dead letter with the reason', async () => {
    const { fact, bob } = forged
    const { reason } = await letterOf(fact)
    expect(reason).toBe(`transaction.completed ${fact} is not signed by the context ledger.`)
    expect(await notificationsOf(bob)).toEqual([])
  })
})

test('each request is counted once at /metrics, though the processes that answered it have ended', async () => {
  const metric = async (pattern: RegExp): Promise<number> => {
    const { body } = await bank.callHost('runtime', 'GET', '/metrics')
    return (body as string)
      .split('\n')
      .filter((line) => pattern.test(line))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  const counted = (service: string, handler: string) => () =>
    metric(
      RegExp(`^http_requests_total{service="${service}",method="GET",handler="${handler}",status="4xx"}`),
    )
  const counters = [counted('front-door', '/api/payees'), counted('payees', '/payees')]
  const before = await Promise.all(counters.map((read) => read()))
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 20; n++) expect((await bank.call('GET', '/api/payees')).status).toBe(401)
    signal(bank.functionPids(), 'SIGTERM')
  }
  const now = () => Promise.all(counters.map((read) => read()))
  const expected = before.map((count) => count + 60)
  await until(async () => (await now()).every((count, i) => count >= expected[i]!))
  expect(await now()).toEqual(expected)
  expect(await metric(/^process_cpu_seconds_total{service="payees"}/)).toBeGreaterThan(0)
  expect(await metric(/^microbank_log_lines_total{service="payees",level="error"}/)).toBe(0)
  const refused = bank
    .output()
    .split('\n')
    .filter((line) => line.includes('metrics were refused'))
  expect([refused, await metric(/^microbank_meter_refused_total/)]).toEqual([[], 0])
  await until(async () => (await metric(/^pg_up/)) === 5, { what: 'the facts of all databases' })
  // Nobody was refused so yet, and the series is there.
  const { body } = await bank.callHost('runtime', 'GET', '/metrics')
  expect(body).toContain('microbank_refusals_total{service="seal-ledger",refusal="event-refused"} 0')
  expect(body).toContain('broker_dead_letters_total{trigger="witness-seals"} 0')
})

test('without requests all function processes but the front door end, and the next request starts a fresh one', async () => {
  const before = (await bank.status()).services.find(({ name }) => name === 'notifications')!.coldStarts
  const running = async () =>
    (await bank.status()).services
      .filter(({ processes, starting }) => processes + starting > 0)
      .map(({ name }) => name)
  await until(async () => (await running()).join() === 'front-door' && bank.functionPids().length === 1, {
    timeoutMs: 240_000,
    everyMs: 250,
    what: 'all functions to stop',
  })
  const ada = await registerCustomer(bank)
  expect(await notificationsOf(ada)).toEqual([])
  const after = (await bank.status()).services.find(({ name }) => name === 'notifications')!.coldStarts
  expect(after).toBe(before + 1)
})

/** Dead letters are counted each minute, and less often on a machine that is busy. */
const SLOW_FACTS_MS = 240_000
/** The alerts whose causes the next test makes. A dead letter is there already, of an event that an outsider
 * forged. */
const ALERTS = ['DatabaseDown', 'DeadLetters', 'FrontDoorDown', 'LedgerStopped', 'OutboxTooOld']

/** What stands in docs/runbooks.md between backticks. */
const inRunbooks = [...read('docs/runbooks.md').matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

test('what the runbooks ask the bank, its databases and Prometheus is answered', async () => {
  const urls = inRunbooks.filter((code) => code.startsWith('curl '))
  expect(urls.length).toBeGreaterThan(5)
  for (const code of urls) {
    const [, host, path] = /(localhost|runtime[.]microbank[.]localhost):8080([^" ]*)/.exec(code)!
    const options = { token: operator }
    const { status } =
      host === 'localhost'
        ? await bank.call('GET', path!, options)
        : await bank.callHost('runtime', 'GET', path!)
    expect([code, status]).toEqual([code, 200])
  }
  // What ends connections, and the repair of a clock that was ahead, are only looked at.
  const statements = inRunbooks.filter((code) => /^select .* from /.test(code) && !code.includes('...'))
  expect(statements.length).toBeGreaterThan(3)
  for (const code of statements)
    expect([code, (await bank.sql('ledger', code)).length > 0]).toEqual([code, true])
  const repair = inRunbooks.filter((code) => code.startsWith('update '))
  for (const code of repair) await bank.sql('ledger', `explain ${code}`)
  const queries = inRunbooks.filter((code) =>
    /^(sum|max|topk|histogram_quantile)\b|^microbank_\w+(\{.*\})?$/.test(code),
  )
  expect(queries.length).toBeGreaterThan(8)
  // A wrong one is refused. Many rightly have no value in a bank that is well.
  for (const code of queries) await monitor.range(code, 60)
})

test('a second monitor says where the first is, and leaves it alone', async () => {
  await expect(startMonitor(bank.dataDir)).rejects.toThrow(
    RegExp(`watches this bank already: process \\d+, with Prometheus at ${monitor.url}\\.`),
  )
  expect(await monitor.range('up{job="meter"}', 60)).toEqual([expect.arrayContaining([1])])
})

test('each of five alerts fires in a real Prometheus when its cause is there', async () => {
  const asOperator = async (path: string, body: object) => {
    const answer = await bank.call('POST', path, { token: operator, body })
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const admit = (isAdmitted: boolean) =>
    bank.sql('postgres', `alter database documents allow_connections ${isAdmitted}`)
  const seen = new Set<string>()
  const quiet = async () => {
    for (const name of await monitor.firing()) seen.add(name)
    return ALERTS.filter((name) => !seen.has(name))
  }
  const stop = await asOperator('/api/ledger/stop', { reason: 'To see the alert' })
  await admit(false)
  await bank.sql(
    'postgres',
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'documents'`,
  )
  await bank.sql(
    'identity',
    `insert into outbox_pending (id, event_ids, claimed_until)
     select uuidv7(interval '-10 minutes'), array[id], 'infinity' from outbox limit 1`,
  )
  try {
    const freeze = async () => {
      // Again and again, because the runtime replaces a front door that hangs.
      signal(bank.functionPids('front-door'), 'SIGSTOP')
      return !(await quiet()).includes('FrontDoorDown')
    }
    await until(freeze, { everyMs: 200, what: 'FrontDoorDown' })
    signal(bank.functionPids(), 'SIGCONT')
    const fire = async () => {
      const names = await quiet()
      if (names.length > 0) throw new Error(`quiet: ${names.join()}`)
      return true
    }
    await until(fire, { timeoutMs: SLOW_FACTS_MS, everyMs: 200, what: 'the alerts' })
  } finally {
    signal(bank.functionPids(), 'SIGCONT')
    await admit(true)
  }
  await until(async () => (await bank.call('GET', '/healthz')).status === 200, { what: 'the front door' })

  await asOperator('/api/ledger/resume', { stop_id: stop.id, reason: 'It was seen' })
  await bank.sql('identity', `update outbox_pending set claimed_until = now()`)
  await bank.ping('sweep-identity')
  const { body } = await bank.call('GET', '/api/dead-letters?status=stored&limit=200', { token: operator })
  for (const { id } of body.items as { id: string }[])
    await asOperator(`/api/dead-letters/${id}/discard`, { reason: 'It was seen' })
})

/** Functions tell when these were made, for the alert SecretOld. */
const KEYS = ['token-signing-key', 'payments-calls']

test.each([['.*'], ['transfer']])(
  'every panel of the dashboards answers, after all this, with the Services %s',
  async (service) => {
    const targets = boards.flatMap(({ title, panels }) =>
      panels
        .filter(({ clusterOnly }) => !clusterOnly)
        .flatMap((panel) => panel.targets.map((target) => [`${title}: ${panel.title}`, target.expr])),
    )
    const hasAnswer = (series: number[][]): boolean =>
      series.some((values) => values.filter((value) => !Number.isNaN(value)).length >= 2)
    const silent = async (): Promise<string[]> => {
      const answers = targets.map(async ([name, expr]) =>
        hasAnswer(await monitor.range(filledIn(expr!, { service, rateInterval: '5m' }), 300)) ? [] : [name!],
      )
      return (await Promise.all(answers)).flat()
    }
    await bank.ping('verify-ledger')
    targets.push(...KEYS.map((key) => [key, `microbank_key_created_timestamp_seconds{key="${key}"}`]))
    // The last of them come with the next report and the next rules.
    await until(async () => (await silent()).length === 0, { everyMs: 2_000 }).catch(() => undefined)
    expect(await silent()).toEqual([])
  },
)

test('the page of metrics draws every panel that Prometheus answers, and axe finds nothing in it', async () => {
  const browser = await launchChromium()
  try {
    const context = await browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(WAIT_MS)
    await signIn(context, bank, 'operator')
    await watchWithAxe(context)
    const page = await context.newPage()
    const faults: string[] = []
    page.on('console', (message) => isFault(message) && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(String(error)))
    const kinds = new Set<string>()
    for (const { uid, panels } of boards) {
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize({ width: 1280, height: 800 })
      await page.goto(`${bank.url}/engine/metrics?dashboard=${uid}`)
      await ready(page)
      const wanted = panels.filter(({ clusterOnly }) => !clusterOnly).map(({ title }) => title)
      const drawn = page.locator('section section').filter({ has: page.locator('figure, ul') })
      const undrawn = async () => {
        const titles = await drawn.getByRole('heading').allTextContents()
        return wanted.filter((title) => !titles.includes(title))
      }
      // What is known of one moment only may come with the next answer.
      await until(async () => (await undrawn()).length === 0, { everyMs: 500 }).catch(() => undefined)
      expect([uid, await undrawn()]).toEqual([uid, []])
      // axe looks at each kind of panel once: it takes seconds for a page.
      const brings = panels.some(({ kind }) => !kinds.has(kind))
      for (const { kind } of panels) kinds.add(kind)
      if (brings) expect([uid, await violations(page)]).toEqual([uid, []])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 360, height: 740 })
      await ready(page)
      expect([uid, await sidewaysPx(page)]).toEqual([uid, 0])
      if (brings) expect([uid, await violations(page, ['color-contrast'])]).toEqual([uid, []])
    }
    await page.goto(`${bank.url}/engine/metrics?dashboard=functions`)
    await page.getByRole('combobox', { name: 'Function' }).selectOption('transfer')
    await page.waitForURL(/service=transfer/)
    const processes = page.getByRole('region', { name: 'Processes', exact: true })
    await until(async () => (await processes.getByRole('listitem').count()) === 1, { what: 'one function' })
    await processes.getByText('Now').waitFor()
    await processes.getByRole('img').hover()
    await processes.getByText(/^At \d\d:\d\d$/).waitFor()
    expect(faults).toEqual([])
  } finally {
    await browser.close()
  }
})

test('the latency at the front door leads to traces of single requests', async () => {
  const [latency] = boards.flatMap(({ panels }) => panels.filter(({ showsTraces }) => showsTraces))
  const ids = await until(
    async () => {
      const found = await monitor.traces(filledIn(latency!.targets[0]!.expr))
      return found.length > 0 && found
    },
    { everyMs: 1_000, what: 'an exemplar' },
  )
  const { body } = await bank.callHost('runtime', 'GET', `/traces/${ids.at(-1)}`)
  expect(JSON.stringify(body)).toContain('"front-door"')
})

test('the page of the API: nothing breaks its policy, and an operation is tried with a token from a log-in there', async () => {
  const email = `${randomUUID()}@example.com`
  const password = 'three blue herons'
  await bank.call('POST', '/api/auth/register', { body: { name: 'Ada', email, password } })
  const browser = await launchChromium()
  try {
    const page = await browser.newPage({ viewport: { width: 360, height: 900 } })
    page.setDefaultTimeout(WAIT_MS)
    const faults: string[] = []
    const asked: string[] = []
    // Chromium reports what the policy forbids here, too.
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('request', (request) => asked.push(request.url()))
    const opened = await page.goto(`${bank.url}/docs`)
    expect(opened!.headers()['content-security-policy']).toMatch(/script-src 'self';(?!.*eval)/)
    await page.fill('#sign-in [name=email]', email)
    await page.fill('#sign-in [name=password]', password)
    await page.keyboard.press('Enter')
    await page.getByText('What you try below carries your token').waitFor()
    await page.locator('#operations-tag-ledger').click()
    const operation = page.locator('#operations-ledger-listAccounts')
    await operation.locator('.opblock-summary-control').focus()
    await page.keyboard.press('Enter')
    await operation.getByRole('button', { name: 'Try it out' }).click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    const status = operation.locator('.live-responses-table tr.response .response-col_status')
    await status.waitFor()
    expect(await status.textContent()).toMatch(/^200/)
    // An operation whose body was changed has more buttons.
    await page.locator('#operations-tag-identity').click()
    const login = page.locator('#operations-identity-createAuthLogin')
    await login.locator('.opblock-summary-control').click()
    await login.getByRole('button', { name: 'Try it out' }).click()
    await login.locator('textarea.body-param__text').fill('{}')
    await login.getByRole('button', { name: 'Reset' }).waitFor()
    // No sideways scroll, there or in a wide window. Opened twice, the page would take twice as long.
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth)).toBe(width)
    }
    expect(faults).toEqual([])
    expect(asked.filter((url) => !url.startsWith(bank.url) && !url.startsWith('data:'))).toEqual([])
  } finally {
    await browser.close()
  }
})

test('the five alerts are quiet again, long after their causes have gone', async () => {
  const end = async () => {
    const left = (await monitor.firing()).filter((name) => ALERTS.includes(name))
    if (left.length > 0) throw new Error(`firing: ${left.join()}`)
    return true
  }
  await until(end, { timeoutMs: SLOW_FACTS_MS, everyMs: 500, what: 'the alerts to end' })
})
