import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import { tickHeaders } from '../support/events.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Bad input to the whole bank gets a clear error and changes nothing. */

let bank: Bank
let ada: Customer
let bob: Customer
let account: string
let other: string
let inEuro: string

export function badInput(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    ada = await registerCustomer(bank)
    bob = await registerCustomer(bank)
    account = await ada.openAccount('checking')
    other = await bob.openAccount('checking')
    inEuro = await ada.openAccount('savings', 'EUR')
    await ada.transact({ type: 'deposit', account_id: account, amount: '10.00' })
  })

  afterEach(async () => {
    expect(await ada.balances()).toEqual({ [account]: '10.00', [inEuro]: '0.00' })
    expect(await bob.balances()).toEqual({ [other]: '0.00' })
  })

  test.each([
    0,
    -1,
    '0.001',
    0.001,
    '1e309',
    '9007199254740993e10',
    1e308,
    2 ** 63,
    '１２',
    '1,000',
    ' 1',
    '+1',
    '',
    null,
  ])('amount %j', async (amount) => {
    const { status, body } = await ada.transact({ type: 'deposit', account_id: account, amount })
    expect(status).toBe(400)
    expect(body.errors[0].path).toBe('/amount')
  })

  test.each([
    ['an account that does not exist', 404, 'account-not-found', () => ({ to_account_id: randomUUID() })],
    ['another currency', 422, 'currency-mismatch', () => ({ to_account_id: inEuro })],
    ['the same account', 422, 'same-account', () => ({ to_account_id: account })],
    ['more than the balance', 409, 'insufficient-funds', () => ({ to_account_id: other, amount: '10.01' })],
    [
      'from another’s account',
      404,
      'account-not-found',
      () => ({ account_id: other, to_account_id: account }),
    ],
  ])('a transfer to or of %s', async (_what, status, name, change) => {
    const answer = await ada.transact({ type: 'transfer', account_id: account, amount: '1.00', ...change() })
    expect([answer.status, answer.body.type]).toEqual([status, `https://microbank.dev/problems/${name}`])
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  })

  test.each([
    ['rubbish', '{"type"', 'application/json', 400],
    ['another charset', '{"type":"deposit"}', 'application/json; charset=utf-16', 415],
    ['another content type', 'type=deposit', 'text/plain', 415],
    ['too much', JSON.stringify({ text: 'x'.repeat(110_000) }), 'application/json', 413],
  ])('a body that is %s, sent to the function itself', async (_what, body, type, status) => {
    const answer = await bank.callHost('deposit', 'POST', '/', {
      token: ada.token,
      body,
      headers: { 'content-type': type },
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  })

  test('unknown fields, no token, an operator’s field from a customer, another customer’s ids', async () => {
    const deposit = { type: 'deposit', account_id: account, amount: '1.00' }
    expect((await ada.transact({ ...deposit, balance: '1' })).status).toBe(400)
    expect((await bank.call('POST', '/api/transactions', { body: deposit })).status).toBe(401)
    const rich = { account_type: 'checking', balance: '1000000.00' }
    expect((await bank.call('POST', '/api/accounts', { token: ada.token, body: rich })).status).toBe(403)
    for (const path of [`/api/accounts/${other}`, `/api/accounts/${other}/balance`, `/api/users/${bob.id}`]) {
      expect((await bank.call('GET', path, { token: ada.token })).status).toBe(404)
    }
  })

  test('logs at debug, spans and metrics have nothing private of all this: no name, address, password, token, key, amount or body', async () => {
    const address = '203.0.113.77'
    const amount = 31415.93
    const person = { email: 'zeb.quagmire@example.com', password: 'quagmire seven geese' }
    const traces: string[] = []
    // The front door begins ten traces in a second, and may have begun all of the last ones.
    await delay(3_000)
    const send = (method: string, path: string, body?: unknown, token?: string, more: object = {}) => {
      const trace = randomBytes(16).toString('hex')
      traces.push(trace)
      const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, 'x-forwarded-for': address, ...more }
      return bank.call(method, `/api${path}`, {
        headers,
        ...(body !== undefined && { body }),
        ...(token && { token }),
      })
    }
    await send('POST', '/auth/register', { name: 'Zeb Quagmire', ...person })
    await send('POST', '/auth/register', { name: 'Zeb Quagmire', ...person })
    await send('POST', '/auth/login', { ...person, password: 'quagmire six geese' })
    await send('POST', '/auth/login', { email: 'quagmire', password: 'quagmire' })
    const { body: tokens } = await send('POST', '/auth/login', person)
    const { access_token: token, refresh_token: refresh } = tokens as Record<string, string>
    const { body: opened } = await send(
      'POST',
      '/accounts',
      { account_type: 'checking', name: 'Quagmire savings' },
      token,
    )
    const money = {
      account_id: opened.id as string,
      amount,
      description: 'quagmire rent',
      metadata: { of: 'quagmire' },
    }
    const key = { 'idempotency-key': 'quagmire-key' }
    expect((await send('POST', '/transactions', { type: 'deposit', ...money }, token, key)).status).toBe(201)
    await send('POST', '/transactions', { type: 'deposit', ...money, amount: amount + 1 }, token, key)
    await send(
      'POST',
      '/transactions',
      { type: 'transfer', ...money, to_account_id: account, amount: 2 * amount },
      token,
    )
    await send('POST', '/transactions', { type: 'deposit', ...money, quagmire: 'quagmire' }, token)
    await send('POST', '/transactions', '{"quagmire', token, { 'content-type': 'application/json' })
    await send('GET', '/transactions?search=quagmire', undefined, token)
    await send('GET', `/payees?to=${person.email}`, undefined, token)
    await send('GET', '/payees?to=a%00quagmire', undefined, token)
    await send('POST', '/payments/create', { payee_email: person.email, ...money }, token)
    await send('GET', '/accounts', undefined, 'quagmire.quagmire.quagmire')
    await send('POST', '/auth/refresh', { refresh_token: refresh })
    await send('POST', '/auth/refresh', { refresh_token: 'quagmire' })
    // Events that nobody can process, to the Broker and to a consumer itself.
    const event = {
      ...tickHeaders('quagmire'),
      'ce-type': 'transaction.requested',
    }
    const data = { body: { quagmire: amount }, headers: { ...event, 'content-type': 'application/json' } }
    await bank.callHost('default-broker-ingress', 'POST', '/', data)
    await bank.callHost('transfer', 'POST', '/events', data)

    const logs = () => {
      const folder = join(bank.dataDir, 'logs')
      return (
        readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
          .join('')
          // What the runtime says to a person begins otherwise.
          .concat(...(bank.output().match(/^\{.*$/gm) ?? []))
      )
    }
    await until(() => traces.every((trace) => logs().includes(trace)), { what: 'a line of each request' })
    const spans = async () =>
      Promise.all(
        traces.map(async (trace) => {
          const { status, body } = await bank.callHost('runtime', 'GET', `/traces/${trace}`)
          return status === 200 ? JSON.stringify(body) : ''
        }),
      )
    await until(async () => (await spans()).every((text) => text !== ''), { what: 'spans of each request' })
    const { body: metrics } = await bank.callHost('runtime', 'GET', '/metrics')

    const [, operatorPassword] = /Operator\s+\S+\s+password (\S+)/.exec(bank.output())!
    const secrets = [ada.token, ada.email, token!, token!.split('.')[2]!, refresh!, operatorPassword!]
    const marks = [/quagmire|31415\D?93|203\.0\.113|three blue herons/i, ...secrets]
    const texts = { logs: logs(), spans: (await spans()).join('\n'), metrics: String(metrics) }
    const found = Object.entries(texts).flatMap(([where, text]) =>
      marks.flatMap((mark) => {
        const at = typeof mark === 'string' ? text.indexOf(mark) : text.search(mark)
        return at < 0 ? [] : [`${where}: ${text.slice(Math.max(0, at - 200), at + 50)}`]
      }),
    )
    expect(found).toEqual([])
  })
}
