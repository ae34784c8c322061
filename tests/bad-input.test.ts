import { randomUUID } from 'node:crypto'
import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'

/** Bad input to the whole bank gets a clear error and changes nothing. */

let bank: Bank
let ada: Customer
let bob: Customer
let account: string
let other: string
let inEuro: string

beforeAll(async () => {
  bank = await startBank()
  ada = await registerCustomer(bank)
  bob = await registerCustomer(bank)
  account = await ada.openAccount('checking')
  other = await bob.openAccount('checking')
  inEuro = await ada.openAccount('savings', 'EUR')
  await ada.transact({ type: 'deposit', account_id: account, amount: '10.00' })
})

afterAll(() => bank?.stop())

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
  ['from another’s account', 404, 'account-not-found', () => ({ account_id: other, to_account_id: account })],
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
