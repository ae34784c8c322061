import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer } from './support/customers.ts'
import { until } from './support/until.ts'

/** The bank on a data folder that a power cut has damaged and that has lost its secrets.json. */

let bank: Bank | undefined
const dataDir = mkdtempSync(join(tmpdir(), 'microbank-bank-'))
afterAll(async () => {
  await bank?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const operator = () =>
  (JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as { operator: Record<string, string> })
    .operator

async function logIn(person: Record<string, string | undefined>): Promise<number> {
  const { email, password } = person
  const answer = await until(async () => {
    const given = await bank!.call('POST', '/api/auth/login', { body: { email, password } })
    return given.status !== 503 && given
  })
  return answer.status
}

test('the folder is closed to others, and after damage and lost secrets the money, the customers and an operator are still there', async () => {
  bank = await startBank({ dataDir })
  expect(statSync(dataDir).mode & 0o067).toBe(0)
  for (const name of ['rabbitmq', 'logs', 'processes', 'secrets.json'])
    expect([name, statSync(join(dataDir, name)).mode & 0o077]).toEqual([name, 0])
  const customer = await registerCustomer(bank)
  const account = await customer.openAccount('checking')
  await customer.transact({ type: 'deposit', account_id: account, amount: '900.00' })
  expect(await logIn(operator())).toBe(200)
  await bank.stop()

  rmSync(join(dataDir, 'secrets.json'))
  for (const name of ['lock', 'runtime.json', 'processes/12.json', 'postgres/superuser-password'])
    writeFileSync(join(dataDir, name), '')
  for (const name of ['postgres/data/postmaster.pid', 'rabbitmq/running.json', 'rabbitmq/rabbitmq.conf'])
    writeFileSync(join(dataDir, name), Buffer.alloc(40))
  bank = await startBank({ dataDir })

  const balances = await bank.sql<{ balance: string }>(
    'ledger',
    `select balance from accounts where id = '${account}'`,
  )
  expect(balances).toEqual([{ balance: '90000' }])
  expect((await bank.call('GET', '/api/accounts', { token: customer.token })).status).toBe(401)
  expect(await logIn(operator())).toBe(401)
  // As docs/troubleshooting.md says.
  await bank.sql(
    'identity',
    `update users set role = 'customer', email = 'former-' || email where role = 'operator'`,
  )
  expect(await logIn(operator())).toBe(200)
})
