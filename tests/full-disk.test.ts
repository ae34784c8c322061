import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { loginOperator, startBank, type Bank } from './support/bank.ts'
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
    const operator = await loginOperator(bank)
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
      { timeoutMs: 240_000, everyMs: 0, what: 'an answer with 503' },
    )
    expect([201, 503]).toEqual(expect.arrayContaining([...new Set(keys.values())]))

    disk!.free()
    await until(async () => (await transfer()).status === 201, { what: 'a transfer' })
    for (const key of keys.keys()) expect((await transferOnce(customer, from, to, key)).status).toBe(201)

    // A transfer now and then keeps functions running, which sweep up the events that could not be published.
    // If the disk was full for longer than the retries last, the operator has dead letters to redrive.
    await until(
      async () => {
        await transfer()
        await redriveAll(bank!, operator)
        await expectComplete(bank!)
        return true
      },
      { timeoutMs: 240_000, everyMs: 3_000, what: 'a notification for each transaction' },
    )
    for (const proof of ['sums', 'balances', 'chains'])
      expect([proof, await bank.sql('ledger', `select * from verify_${proof}()`)]).toEqual([proof, []])
    const moved = await bank.sql('ledger', `select from transactions where type = 'transfer'`)
    const [balance] = Object.values(await customer.balances()).sort((a, b) => Number(a) - Number(b))
    expect(Number(balance)).toBe(moved.length)
  },
  600_000,
)

async function transferOnce(customer: Customer, from: string, to: string, key: string = randomUUID()) {
  const body = { type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }
  return { key, status: (await customer.transact(body, key)).status }
}

async function redriveAll(bank: Bank, token: string): Promise<void> {
  const { body } = await bank.call('GET', '/api/dead-letters?status=stored', { token })
  for (const { id } of body.items as { id: string }[])
    await bank.call('POST', `/api/dead-letters/${id}/redrive`, { token })
}

/** Throws if transactions have no notification, and says where their events may be. */
async function expectComplete(bank: Bank): Promise<void> {
  const ids = async (context: string, text: string) =>
    (await bank.sql<{ id: string }>(context, text)).map(({ id }) => id)
  const notified = await ids('notifications', 'select subject as id from notifications')
  const completed = await ids('ledger', 'select id from transactions')
  expect(new Set(notified).size).toBe(notified.length)
  // The last one may still be on its way.
  if (notified.length >= completed.length - 1) return
  throw new Error(`${notified.length} of ${completed.length} have one; ${await whereEventsAre(bank)}`)
}

async function whereEventsAre(bank: Bank): Promise<string> {
  const pending = await bank.sql(
    'ledger',
    'select cardinality(event_ids), attempts from outbox_pending limit 20',
  )
  const letters = await bank.sql('notifications', 'select status, error_code, deliveries from dead_letters')
  const { brokers } = await bank.status()
  const waiting = brokers.map(({ ready, reason, triggers }) => ({
    ...{ ready, reason },
    triggers: triggers.filter(({ backlog, deadLetters }) => backlog || deadLetters),
  }))
  const facts = { pending, letters, waiting, printed: bank.output().split('\n').slice(-10) }
  return JSON.stringify(facts, null, 1)
}
