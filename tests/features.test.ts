import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { dataschemaOf, sourceOf, type EventContract } from '../eventing/contracts/contract.ts'
import { groupsByEvent } from '../eventing/groups-by-event.ts'
import { databaseContexts } from '../functions/contexts.ts'
import { image, multipart, send } from '../functions/documents/testing/documents-fixture.ts'
import { createAjv } from '../functions/host/http/compile-validators.ts'
import type { MailServer } from '../functions/notifications/testing/mail-server.ts'
import type { TestProvider } from '../functions/notifications/testing/provider.ts'
import type { Receiver } from '../functions/payments/web-hooks/web-hooks-fixture.ts'
import type { Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import { eachRoute } from './support/each-route.ts'
import { publishAgain, settled, stateOf, unheardTriggers, unheardTypes } from './support/redelivery.ts'
import type { Answer } from './support/host.ts'
import { startLivelyBank, type LivelyBank } from './support/lively-bank.ts'
import { contracts } from './support/repository.ts'
import { readTagged } from './support/tagged-answers.ts'
import { until } from './support/until.ts'

/** What the bank does, one feature after another, in one running bank. The ids are those of docs/features.md.
 * The last test delivers every event of the others a second time. */

let lively: LivelyBank
let bank: Bank
let mail: MailServer
let provider: TestProvider
let receiver: Receiver
let operator: string
let ada: Customer
let bob: Customer
let checking: string
let savings: string
let bobs: string

beforeAll(async () => {
  lively = await startLivelyBank('email,sms,push,webhook')
  ;({ bank, mail, provider, receiver, operator, ada, checking, savings, bob, bobs } = lively)
})

afterAll(() => lively?.stop())

const ask = (method: string, path: string, body?: unknown, token = ada.token): Promise<Answer> =>
  bank.call(method, `/api${path}`, {
    token,
    ...(body !== undefined && { body, headers: { 'idempotency-key': randomUUID() } }),
  })

/** Asks and resolves with the body of the answer, whose status must be this one. */
async function must(status: number, ...asked: Parameters<typeof ask>): Promise<Answer['body']> {
  const answer = await ask(...asked)
  expect([answer.status, answer.status === status ? undefined : answer.body]).toEqual([status, undefined])
  return answer.body
}

const told = async (customer: Customer): Promise<string[]> =>
  (
    (await must(200, 'GET', '/notifications?limit=200', undefined, customer.token)).items as {
      message: string
    }[]
  ).map(({ message }) => message)

const hears = (customer: Customer, words: string) =>
  until(async () => (await told(customer)).some((message) => message.includes(words)), {
    what: `a notification with '${words}'`,
  })

/** Lets time pass for a row that no operation can change. */
const age = (context: string, update: string) =>
  bank.sql(context, `set session_replication_role = replica; ${update}`)

const balance = async (id: string): Promise<string> => (await must(200, 'GET', `/accounts/${id}`)).balance

describe('users', () => {
  test('A1, D2: users are listed page by page, read, changed and deleted', async () => {
    const eve = await registerCustomer(bank)
    const page = await must(200, 'GET', '/users?limit=2', undefined, operator)
    expect(page.items).toHaveLength(2)
    const next = await must(200, 'GET', `/users?limit=2&cursor=${page.next_cursor}`, undefined, operator)
    const idsOf = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id)
    expect(idsOf(next).filter((id) => idsOf(page).includes(id))).toEqual([])
    const email = `${randomUUID()}@example.com`
    await must(
      200,
      'PATCH',
      `/users/${eve.id}`,
      { name: 'Eve', email, current_password: 'three blue herons' },
      eve.token,
    )
    expect(await must(200, 'GET', `/users/${eve.id}`, undefined, operator)).toMatchObject({
      name: 'Eve',
      email,
    })
    await hears(eve, 'email')
    expect((await ask('GET', `/users/${eve.id}`, undefined, bob.token)).status).toBe(404)
    expect((await ask('DELETE', `/users/${eve.id}`, undefined, eve.token)).status).toBe(204)
    expect((await ask('GET', `/users/${eve.id}`, undefined, operator)).status).toBe(404)
  })

  test('D1, D7: an address is confirmed, and a password chosen, by mailed links that are good once', async () => {
    const follow = (path: string, body: object) => bank.call('POST', `/api/auth/${path}`, { body })
    const token = await mail.tokenTo(bob.email, 'confirm-email')
    expect((await follow('email/confirm', { token })).status).toBe(204)
    expect(
      (await must(200, 'GET', `/users/${bob.id}`, undefined, bob.token)).email_confirmed_at,
    ).not.toBeNull()

    const email = `${randomUUID()}@example.com`
    await must(201, 'POST', '/users', { name: 'Joan', email }, operator)
    for (const password of ['four grey herons', 'five grey herons']) {
      const chosen = { token: await mail.tokenTo(email, 'new-password'), new_password: password }
      expect((await follow('password-resets/confirm', chosen)).status).toBe(204)
      expect((await follow('password-resets/confirm', chosen)).status).toBeGreaterThanOrEqual(400)
      expect((await follow('login', { email, password })).status).toBe(200)
      mail.mails.length = 0
      expect((await follow('password-resets', { email })).status).toBe(202)
    }
  })

  test('D1, D3: a session begins with a log-in, is renewed by a token that is good once, and is revoked', async () => {
    const person = { email: `${randomUUID()}@example.com`, password: 'three blue herons' }
    await bank.call('POST', '/api/auth/register', { body: { name: 'Dan', ...person } })
    const first = (await bank.call('POST', '/api/auth/login', { body: person })).body
    const renew = (token: string) =>
      bank.call('POST', '/api/auth/refresh', { body: { refresh_token: token } })
    const second = await renew(first.refresh_token)
    expect([second.status, second.body.refresh_token === first.refresh_token]).toEqual([200, false])
    const out = await bank.call('POST', '/api/auth/logout', {
      token: second.body.access_token,
      body: { refresh_token: second.body.refresh_token },
    })
    expect(out.status).toBe(204)
    const wrong = { ...person, password: 'three grey herons' }
    expect((await bank.call('POST', '/api/auth/login', { body: wrong })).status).toBe(401)
    expect((await renew(second.body.refresh_token)).status).toBe(401)
  })
})

describe('accounts and money', () => {
  test('A2, C2: accounts have a type and a balance; the functions that read are not those that write', async () => {
    const { items } = await must(200, 'GET', '/accounts')
    expect(
      (items as { id: string; account_type: string }[])
        .map(({ id, account_type: type }) => [id, type])
        .sort(),
    ).toEqual(
      [
        [checking, 'checking'],
        [savings, 'savings'],
      ].sort(),
    )
    const byHost = await bank.callHost('accounts', 'GET', `/accounts/${checking}`, { token: ada.token })
    expect([byHost.status, byHost.body.balance]).toEqual([200, await balance(checking)])
    expect(
      (await bank.callHost('accounts', 'POST', '/transactions', { token: ada.token, body: {} })).status,
    ).toBe(404)
  })

  test('A3, A4, A5, A10: deposit, withdrawal and transfer, at the one entry and at a function’s own host; each tells its customer', async () => {
    const carol = await registerCustomer(bank)
    const account = await carol.openAccount('checking')
    const deposit = { type: 'deposit', account_id: account, amount: '900.00' }
    expect((await carol.transact(deposit)).status).toBe(201)
    const withdrawal = { type: 'withdrawal', account_id: account, amount: '50.00' }
    expect(
      (await bank.callHost('withdraw', 'POST', '/transactions', { token: carol.token, body: withdrawal }))
        .status,
    ).toBe(201)
    const transfer = { type: 'transfer', account_id: account, to_account_id: bobs, amount: '200.00' }
    expect((await carol.transact(transfer)).body.balance_after).toBe('650.00')
    await hears(carol, 'Deposit of $900.00 completed. New balance: $900.00')
    await hears(carol, 'Withdrawal of $50.00 completed. New balance: $850.00')
    await hears(carol, 'Transfer of $200.00 completed. New balance: $650.00')
  })

  test('C1: with respond-async a deposit, a withdrawal and a transfer are answered at once and posted later', async () => {
    const before = Number(await balance(savings))
    const ordered = ['deposit', 'withdrawal', 'transfer'].map(async (type) => {
      const body = {
        type,
        account_id: checking,
        amount: '3.00',
        ...(type === 'transfer' && { to_account_id: savings }),
      }
      const headers = { prefer: 'respond-async', 'idempotency-key': randomUUID() }
      const { status, headers: given } = await bank.call('POST', '/api/transactions', {
        token: ada.token,
        body,
        headers,
      })
      expect(status).toBe(202)
      const location = given.get('location')!
      await until(
        async () => (await bank.call('GET', location, { token: ada.token })).body.status === 'completed',
        {
          what: `the ${type} to be posted`,
        },
      )
    })
    await Promise.all(ordered)
    expect(Number(await balance(savings))).toBe(before + 3)
  })

  test('money is set aside, captured, released and expires; a posting is taken back; an account is frozen and closed', async () => {
    const hold = async (): Promise<string> =>
      (await must(201, 'POST', '/holds', { account_id: checking, amount: '5.00' })).id
    const [captured, released, expired] = [await hold(), await hold(), await hold()]
    await must(201, 'POST', `/holds/${captured}/capture`, { to_account_id: savings })
    await must(200, 'POST', `/holds/${released}/release`, {})
    await age('ledger', `update holds set expires_at = now() where id = '${expired}'`)
    await bank.ping('sweep-ledger')
    expect((await must(200, 'GET', `/holds/${expired}`)).status).toBe('expired')

    const wrong = await ada.transact({ type: 'deposit', account_id: checking, amount: '7.00' })
    await must(201, 'POST', `/transactions/${wrong.body.id}/reverse`, { reason: 'twice' }, operator)
    await hears(ada, 'Transaction of $7.00 reversed')

    const account = await ada.openAccount('savings')
    for (const change of ['freeze', 'unfreeze', 'close'])
      await must(200, 'POST', `/accounts/${account}/${change}`, { reason: 'as asked' }, operator)
    await hears(ada, 'closed')
    await bank.ping('sweep-ledger')
    await bank.ping('seal-ledger')
    await until(
      async () => (await must(200, 'GET', '/seals/witnessed', undefined, operator)).items?.length > 0,
      {
        what: 'a seal at its witness',
      },
    )
  })

  test('an operator changes limits, fees and an overdraft, and stops and resumes a currency; wrong books stop it', async () => {
    const account = await ada.openAccount('checking', 'EUR')
    const deposit = { type: 'deposit', account_id: account, amount: '5.00', currency: 'EUR' }
    expect((await ada.transact(deposit)).status).toBe(201)
    const reason = 'as agreed'
    const byOperator = async (method: string, path: string, body: object, status = 200) =>
      await must(status, method, path, { reason, ...body }, operator)
    await byOperator('PATCH', `/accounts/${account}`, { overdraft_limit: '10.00' })
    await byOperator('PUT', `/accounts/${account}/limits`, { day_max: '300.00', time_zone: 'Europe/Vienna' })
    await byOperator('PUT', '/fees', { currency: 'EUR', type: 'withdrawal', rules: { fixed: '0.50' } })
    const rejected = await bank.call('POST', '/api/transactions', {
      token: ada.token,
      body: { type: 'withdrawal', account_id: account, amount: '50.00' },
      headers: { prefer: 'respond-async' },
    })
    await until(
      async () =>
        (await bank.call('GET', rejected.headers.get('location')!, { token: ada.token })).body.status ===
        'rejected',
      { what: 'the withdrawal to be rejected' },
    )

    const stop = await byOperator('POST', '/ledger/stop', { currency: 'EUR' }, 201)
    await until(async () => (await ada.transact(deposit)).status === 503, { what: 'the stop' })
    await byOperator('POST', '/ledger/resume', { stop_id: stop.id })
    const shift = (by: string) =>
      age('ledger', `update accounts set balance = balance ${by} where id = '${account}'`)
    await shift('+ 5')
    const [found] = await until(
      async () => {
        await bank.ping('verify-ledger')
        const { items } = await must(200, 'GET', '/ledger/stops?open=true', undefined, operator)
        return items.length > 0 && items
      },
      { what: 'the guard to stop the currency' },
    )
    expect(found).toMatchObject({ currency: 'EUR', evidence: [{ account_id: account }] })
    await shift('- 5')
    await byOperator('POST', '/ledger/resume', { stop_id: found.id })
  })

  test('C6: a statement is told through the template that is asked for', async () => {
    const statement = async (format: string) =>
      (await ask('GET', `/accounts/${checking}/statement?format=${format}`)).body as string
    expect(await statement('csv')).toContain('1000.00')
    expect(await statement('camt.053')).toContain('<BkToCstmrStmt>')
    expect(await statement('pdf')).toContain('%PDF-')
  })
})

describe('payments', () => {
  const create = async (more: object = {}) =>
    await must(201, 'POST', '/payments/create', {
      account_id: checking,
      amount: '10.00',
      payee_account_id: bobs,
      ...more,
    })

  test('E2: a payment is created, which holds its money, then executed or cancelled, or expires; the history has all', async () => {
    const toAddress = { payee_account_id: undefined, payee_email: bob.email }
    const [executed, cancelled, expired] = [await create(toAddress), await create(), await create()]
    await must(200, 'POST', '/payments/execute', { payment_id: executed.id })
    await must(200, 'POST', '/payments/cancel', { payment_id: cancelled.id })
    await age('payments', `update payments set expires_at = now() where id = '${expired.id}'`)
    await bank.ping('sweep-payments')
    const statusOf = async ({ id }: { id: string }) => (await must(200, 'GET', `/payments/${id}`)).status
    expect(await Promise.all([executed, cancelled, expired].map(statusOf))).toEqual([
      'executed',
      'cancelled',
      'expired',
    ])
    const { items } = await must(200, 'GET', '/payments')
    expect((items as { id: string }[]).map(({ id }) => id)).toEqual([expired.id, cancelled.id, executed.id])
    await hears(ada, '$10.00')
    await hears(bob, '$10.00')
  })

  test('E2: a payment to nobody fails, and its money is available again', async () => {
    const before = (await must(200, 'GET', `/accounts/${checking}`)).available
    const { id } = await create({ payee_account_id: undefined, payee_email: 'nobody@example.com' })
    expect((await ask('POST', '/payments/execute', { payment_id: id })).status).toBe(409)
    expect((await must(200, 'GET', `/payments/${id}`)).status).toBe('failed')
    expect((await must(200, 'GET', `/accounts/${checking}`)).available).toBe(before)
  })

  test('E3: a payout is taken at once; then its status counts what was paid and what was refused', async () => {
    const items = [
      { to_account_id: savings, amount: '5.00' },
      { email: 'nobody@example.com', amount: '5.00' },
    ]
    const { status, headers } = await ask('POST', '/payments/payout', { account_id: checking, items })
    expect(status).toBe(202)
    await until(
      async () =>
        (await bank.call('GET', headers.get('location')!, { token: ada.token })).body.status === 'completed',
      { what: 'the payout to be completed' },
    )
    await hears(ada, '$5.00 in 1 payment. Refused: 1')
  })

  test('D5: a standing order is created, read, paused, resumed, run and cancelled; without money it fails and says so', async () => {
    const order = async (amount: string): Promise<string> =>
      (
        await must(201, 'POST', '/orders', {
          ...{ account_id: checking, to_account_id: savings, amount },
          schedule: { every: 'month', on: 31, time_zone: 'Europe/Berlin' },
        })
      ).id
    const run = async (id: string) => {
      await bank.sql('payments', `update payment_orders set next_due_at = now() where id = '${id}'`)
      await bank.ping('sweep-payments')
      return (await must(200, 'GET', `/orders/${id}/runs`)).items
    }
    const rent = await order('30.00')
    for (const status of ['paused', 'active']) await must(200, 'PUT', `/orders/${rent}/status`, { status })
    expect((await must(200, 'GET', '/orders')).items).toMatchObject([{ id: rent, status: 'active' }])
    expect(await run(rent)).toMatchObject([{ status: 'paid', amount: '30.00' }])
    await hears(ada, 'Your payment order of $30.00')
    await must(200, 'DELETE', `/orders/${rent}`)
    expect((await must(200, 'GET', `/orders/${rent}`)).status).toBe('cancelled')

    const tooMuch = await order('1000000.00')
    await run(tooMuch)
    // It is tried again after hours and days.
    await until(
      async () => {
        const pending = `status = 'pending' and order_id = '${tooMuch}'`
        await bank.sql('payments', `update payment_order_runs set next_attempt_at = now() where ${pending}`)
        await bank.ping('sweep-payments')
        return (await must(200, 'GET', `/orders/${tooMuch}/runs`)).items[0].status === 'failed'
      },
      { what: 'the run to fail' },
    )
    await hears(ada, 'could not be paid')
  })

  test('E4: a web hook brings a payment to its customer’s own server, and is paused if the server says that it is gone', async () => {
    const types = ['payment.executed']
    // Whoever wants a notification by web hook has a Trigger that brings it there.
    const events = { 'payment.executed': { webhook: true } }
    await must(200, 'PUT', '/notifications/preferences', { events })
    await must(201, 'POST', '/webhooks', { url: receiver.url, types })
    const pay = async () => await must(200, 'POST', '/payments/execute', { payment_id: (await create()).id })
    const { id } = await pay()
    await until(() => receiver.received.some(({ body }) => body.includes(id)), { what: 'the web hook' })
    receiver.answer = (response) => response.writeHead(410).end()
    await pay()
    await hears(ada, 'web hook')
  })

  test('E4: money comes from outside and goes there by way of a payment provider, whose web hooks come twice and in disorder', async () => {
    const account = await ada.openAccount('checking')
    const payee = { payee_name: 'Ada', payee_account: 'DE89370400440532013000' }
    const begin = async (kind: string, amount: string) => {
      const body = { account_id: account, amount, ...(kind === 'withdrawals' && payee) }
      return `/payments/${kind}/${(await must(201, 'POST', `/payments/${kind}`, body)).id}`
    }
    const ends = async (path: string, status: string) =>
      until(async () => (await must(200, 'GET', path)).status === status, { what: `${path} ${status}` })
    // The last two digits say what the sandbox does: 02 fails later, 06 fails after it was settled.
    const topUp = await begin('top-ups', '50.06')
    const failing = await begin('top-ups', '5.02')
    await ends(topUp, 'completed')
    await ends(failing, 'failed')
    const withdrawal = await begin('withdrawals', '20.00')
    const refused = await begin('withdrawals', '5.02')
    await ends(withdrawal, 'completed')
    await ends(refused, 'failed')
    expect((await ada.balances())[account]).toBe('30.06')
    await hears(ada, 'Your top-up of $5.02 failed')
    await hears(ada, 'Your withdrawal of $5.02 could not be paid out')
    const disputed = async () =>
      (await must(200, 'GET', topUp, undefined, operator)).dispute === 'failed-after-settled'
    await until(disputed, { what: 'the dispute' })
    expect((await ask('GET', topUp, undefined, bob.token)).status).toBe(404)
    expect((await ask('POST', '/providers/sandbox/hooks', { data: {} })).status).toBe(403)
  })
})

describe('messages and documents', () => {
  test('D7: a message is sent by email, text message and push, in the app, and is listed', async () => {
    const ecdh = createECDH('prime256v1')
    const keys = {
      p256dh: ecdh.generateKeys().toString('base64url'),
      auth: randomBytes(16).toString('base64url'),
    }
    await must(201, 'POST', '/notifications/push-subscriptions', { endpoint: `${provider.url}/push`, keys })
    await must(204, 'PUT', `/notifications/contacts/${ada.id}/phone`, { phone: '+15555550100' }, operator)
    for (const channel of ['in-app', 'email', 'sms', 'push'])
      await must(
        202,
        'POST',
        '/notifications/send',
        { user_id: ada.id, channel, message: `By ${channel}` },
        operator,
      )
    await hears(ada, 'By in-app')
    await until(() => mail.mails.some(({ mail: { text } }) => text?.includes('By email')), {
      what: 'the mail',
    })
    await until(() => provider.requests.some(({ body }) => body.includes('By sms')), {
      what: 'the text message',
    })
    await until(() => provider.requests.some(({ path }) => path === '/push'), { what: 'the push message' })
  })

  test('E1: an image is uploaded, processed, shown with a thumbnail and deleted', async () => {
    const content = await image('png')
    const path = '/api/media/upload'
    const { status, body } = await send(bank.url, multipart([{ content }]), { token: ada.token, path })
    expect(status).toBe(201)
    const id = body.public_id as string
    const found = async () =>
      ((await must(200, 'GET', '/media')).items as { public_id: string; status: string }[]).find(
        ({ public_id: each }) => each === id,
      )
    await until(async () => (await found())?.status === 'ready', { what: 'the image to be processed' })
    expect((await ask('GET', `/media/${id}/thumbnail`)).status).toBe(200)
    expect((await ask('DELETE', `/media/${id}`)).status).toBe(204)
    expect(await found()).toBeUndefined()
  })
})

test('D11, E6: a trace leads to the logs of a function, and through the Broker to those that its event reaches', async () => {
  const withdraw = async (amount: string) => {
    const trace = randomUUID().replaceAll('-', '')
    const { status, headers } = await bank.call('POST', '/api/transactions', {
      token: ada.token,
      body: { type: 'withdrawal', account_id: checking, amount },
      headers: { 'idempotency-key': randomUUID(), traceparent: `00-${trace}-b7ad6b7169203331-01` },
    })
    return { status, trace, isTraced: headers.get('traceparent')!.endsWith('-01') }
  }
  const refused = await withdraw('1000000.00')
  expect(refused.status).toBe(409)
  await until(
    async () => {
      const { lines } = await must(200, 'GET', '/platform/functions/withdraw/logs', undefined, operator)
      return (lines as { trace_id: string | null }[]).some(({ trace_id: id }) => id === refused.trace)
    },
    { what: 'a line in the log' },
  )
  // The front door begins few traces in a second, and all that was awaited until here has taken some.
  const paid = await until(
    async () => {
      const made = await withdraw('1.00')
      expect(made.status).toBe(201)
      return made.isTraced && made
    },
    { everyMs: 1_000, what: 'a withdrawal that is traced' },
  )
  for (const part of ['"front-door"', '"withdraw"', '"notify"', 'process transaction.completed'])
    await until(
      async () =>
        JSON.stringify((await bank.callHost('runtime', 'GET', `/traces/${paid.trace}`)).body).includes(part),
      { what: `a span of ${part}` },
    )
})

test('E9, D10: health tells of the whole, of each context and of each function', async () => {
  expect((await bank.call('GET', '/health')).status).toBe(200)
  expect((await bank.call('GET', '/health/documents')).status).toBe(200)
  const { status, body } = await bank.call('GET', '/health/services', { token: operator })
  expect([status, Object.keys(body.services).length > 20]).toEqual([200, true])
})

describe('each route of each function', () => eachRoute(() => lively))

interface StoredEvent {
  type: string
  source: string
  dataschema: string
  data: object
  extensions: Record<string, string> | null
}

/** Whether an event has the attributes of its own that its contract declares, and no others but those of
 * groups in which only some events of its type are. */
function hasItsAttributes(
  { type, attributes = {} }: EventContract,
  extensions: StoredEvent['extensions'],
): boolean {
  const names = Object.keys(extensions ?? {})
  const needed = Object.keys(attributes).filter((name) => !attributes[name]!.isOptional)
  const allowed = { ...attributes, ...groupsByEvent(type) }
  return names.every((name) => name in allowed) && needed.every((name) => names.includes(name))
}

test('E5: each event that these tests emitted is what its contract says', async () => {
  const ajv = createAjv('body')
  const known = new Map((await contracts()).map((contract) => [contract.type, contract]))
  const wrong: unknown[] = []
  for (const context of databaseContexts) {
    const events = await bank.sql<StoredEvent>(
      context,
      'select type, source, dataschema, data, extensions from events',
    )
    expect([context, events.length > 0]).toEqual([context, true])
    for (const { type, source, dataschema, data, extensions } of events) {
      const contract = known.get(type)
      const isRight =
        contract !== undefined &&
        sourceOf(contract) === source &&
        dataschemaOf(contract) === dataschema &&
        hasItsAttributes(contract, extensions) &&
        ajv.validate(contract.schema, data)
      if (!isRight) wrong.push([type, source, dataschema, ajv.errors])
    }
  }
  expect(wrong).toEqual([])
})

test('D8: a redrive publishes dead letters again by itself, until none of them waits', async () => {
  const ids = (
    await bank.sql<{ id: string }>(
      'notifications',
      `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
        select '/poison', n, 'poison', json_build_object('specversion', '1.0', 'id', n::text, 'source', '/poison',
            'type', 'poison'), 'http://notify.bank', '', dead_letter_group('notify', 'poison', '500', 'no')
        from generate_series(1, 3) n
        returning id`,
    )
  ).map(({ id }) => id)
  const asked = await bank.call('POST', '/api/dead-letter-redrives', {
    token: operator,
    body: { ids, per_second: 100 },
  })
  expect([asked.status, asked.body.total]).toEqual([202, 3])
  const ended = await until(async () => {
    const { body } = await bank.call('GET', asked.headers.get('location')!, { token: operator })
    return body.status !== 'running' && body
  })
  expect(ended).toMatchObject({ status: 'completed', sent: 3, failed: 0, remaining: 0 })
})

test('answers have a tag, and are 304 to those who have them, exactly where the contract says so', async () => {
  const path = '/api/media/upload'
  await send(bank.url, multipart([{ content: await image('png') }]), { token: ada.token, path })
  await until(async () => (await must(200, 'GET', '/media')).items[0].status === 'ready', {
    what: 'the image to be processed',
  })
  const moved = (await must(200, 'GET', '/transactions?type=deposit&limit=1')).items[0]
  // What is sealed was checked before, here by the sweep.
  await until(
    async () => {
      for (const name of ['sweep-ledger', 'seal-ledger']) await bank.ping(name)
      return (await ask('GET', `/transactions/${moved.id}/proof`)).status === 200
    },
    { everyMs: 1_000, what: 'a proof of the last deposit' },
  )
  const ofAccount = (rest: string): [string, string] => [
    `/api/accounts/{id}${rest}`,
    `/api/accounts/${checking}${rest}`,
  ]
  const ofTransaction = (rest: string): [string, string] => [
    `/api/transactions/{id}${rest}`,
    `/api/transactions/${moved.id}${rest}`,
  ]
  const event = String(moved.event_id)
  const { wrong, unread } = await readTagged(bank, [ada.token, operator], {
    ...Object.fromEntries(
      ['', '/balance', '/changes', '/entries', '/limits', '/proof', '/statement'].map(ofAccount),
    ),
    ...Object.fromEntries(['', '/life', '/proof'].map(ofTransaction)),
    '/api/events/{event_id}': `/api/events/${event}`,
    '/api/notifications/by-event/{event_id}': `/api/notifications/by-event/${event}?source=/microbank/ledger`,
    '/api/payees': `/api/payees?email=${bob.email}`,
    '/api/platform/functions/{name}': '/api/platform/functions/accounts',
    '/api/platform/functions/{name}/logs': '/api/platform/functions/accounts/logs',
    '/api/seals/consistency': '/api/seals/consistency?from=1&to=1',
    '/.well-known/microbank-checkpoint/{n}': '/.well-known/microbank-checkpoint/1',
    '/health/{context}': '/health/ledger',
  })
  expect(wrong).toEqual([])
  expect(unread).toEqual([
    // There was no run of the lab, and this bank catches no mail.
    ...['/api/lab/runs/{id}', '/api/lab/runs/{id}/report'],
    ...['/api/platform/mails/{id}', '/api/platform/mails/{id}/html'],
  ])
})

test('E5, D8: each event that a Trigger delivers happened in these tests; delivered a second time, none has an effect', async () => {
  await settled(bank)
  expect([await unheardTypes(bank), await unheardTriggers(bank)]).toEqual([[], []])
  const before = await stateOf(bank)
  await publishAgain(bank)
  expect(await stateOf(bank)).toEqual(before)
})
