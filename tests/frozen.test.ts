import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import type { Answer } from './support/host.ts'
import { freeze } from './support/signal.ts'
import { until } from './support/until.ts'

/** A frozen function process (SIGSTOP) in the whole bank: it is found and replaced, reads go elsewhere, and
 * money moves once. */

let bank: Bank
let customer: Customer
let account: string

beforeAll(async () => {
  bank = await startBank({ args: ['--queue', 'postgres'] })
  customer = await registerCustomer(bank)
  account = await customer.openAccount('checking')
})

afterAll(() => bank?.stop())

/** Throws if a process ends in the middle, and its record with it. */
const pidsOf = (service: string): number[] => {
  const folder = join(bank.dataDir, 'processes')
  return readdirSync(folder).flatMap((file) => {
    const { pid, what } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      pid: number
      what: string
    }
    return what === service ? [pid] : []
  })
}

/** Freezes all processes of a Service, once it has some. */
async function freezeAllOf(service: string): Promise<number[]> {
  const pids = await until(async () => {
    await depositUntilDone(randomUUID())
    expect((await list()).status).toBe(200)
    const found = pidsOf(service)
    return found.length > 0 && found
  })
  await freeze(pids)
  return pids
}

/** The keys of all deposits. */
const deposited = new Set<string>()

const deposit = (key: string): Promise<Answer> => {
  deposited.add(key)
  return customer.transact({ type: 'deposit', account_id: account, amount: '1.00' }, key)
}

const list = (): Promise<Answer> => bank.call('GET', '/api/accounts', { token: customer.token })

const depositUntilDone = async (key: string): Promise<Answer> =>
  until(async () => {
    const answer = await deposit(key)
    return answer.status === 201 && answer
  })

test.each(['deposit', 'accounts', 'front-door'])(
  'while %s is frozen, the bank answers again in seconds, and every deposit is posted once',
  async (service) => {
    const frozen = await freezeAllOf(service)
    const keys = Array.from({ length: 10 }, () => randomUUID())
    const reads = Promise.all(Array.from({ length: 10 }, list))
    const writes = await Promise.all(keys.map(deposit))
    for (const { status } of await reads) expect(status).toBe(200)
    for (const { status, body } of writes) {
      if (status === 201) continue
      expect([status, body.detail]).toEqual([
        504,
        expect.stringMatching(`^${service} did not answer in time`),
      ])
    }
    await until(() => !pidsOf(service).some((pid) => frozen.includes(pid)))
    for (const key of keys) await depositUntilDone(key)
    expect(await customer.balances()).toEqual({ [account]: `${deposited.size}.00` })
  },
)
