import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import { smallDisk } from './support/small-disk.ts'
import { until } from './support/until.ts'

/** The whole bank on a disk that is full for a while. Tests that need no disk of their own are in
 * knative/local/processes/function-log.test.ts and room.test.ts; every user can run those. */

const disk = smallDisk(450)
const onSmallDisk = disk ? test : test.skip

let bank: Bank | undefined
afterAll(async () => {
  await bank?.stop()
  disk?.remove()
})

onSmallDisk(
  'on a full disk the bank answers 503, then recovers by itself and is complete (needs root, or sudo without a password)',
  async () => {
    const dataDir = join(disk!.path, 'bank')
    mkdirSync(dataDir)
    bank = await startBank({ dataDir })
    const customer = await registerCustomer(bank)
    const from = await customer.openAccount('checking')
    const to = await customer.openAccount('savings')
    await customer.transact({ type: 'deposit', account_id: from, amount: '5000.00' })
    const transfer = () => transferOnce(customer, from, to)

    disk!.fill()
    const keys = new Map<string, number>()
    await until(
      async () => {
        const { key, status } = await transfer()
        keys.set(key, status)
        return status === 503
      },
      { everyMs: 0, what: 'an answer with 503' },
    )
    expect([201, 503]).toEqual(expect.arrayContaining([...new Set(keys.values())]))

    disk!.free()
    await until(async () => (await transfer()).status === 201, { what: 'a transfer' })
    for (const key of keys.keys()) expect((await transferOnce(customer, from, to, key)).status).toBe(201)

    // A transfer now and then keeps functions running, which sweep up the events that could not be published.
    await until(async () => (await transfer()) && (await isComplete(bank!)), {
      timeoutMs: 240_000,
      everyMs: 3_000,
      what: 'a notification for each transaction',
    })
    for (const proof of ['sums', 'balances', 'chains'])
      expect([proof, await bank.sql('ledger', `select * from verify_${proof}()`)]).toEqual([proof, []])
    const moved = await bank.sql('ledger', `select from transactions where type = 'transfer'`)
    const [balance] = Object.values(await customer.balances()).sort((a, b) => Number(a) - Number(b))
    expect(Number(balance)).toBe(moved.length)
  },
  420_000,
)

async function transferOnce(customer: Customer, from: string, to: string, key: string = randomUUID()) {
  const body = { type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }
  return { key, status: (await customer.transact(body, key)).status }
}

async function isComplete(bank: Bank): Promise<boolean> {
  const ids = async (context: string, text: string) =>
    (await bank.sql<{ id: string }>(context, text)).map(({ id }) => id)
  const notified = await ids('notifications', 'select subject as id from notifications')
  const completed = await ids('ledger', 'select id from transactions')
  expect(new Set(notified).size).toBe(notified.length)
  // The last one may still be on its way.
  return notified.length >= completed.length - 1
}
