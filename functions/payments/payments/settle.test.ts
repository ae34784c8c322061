import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { deposit } from '../../ledger/testing/ledger-fixture.ts'
import cancelPayment from '../cancel-payment.ts'
import createPayment from '../create-payment.ts'
import executePayment from '../execute-payment.ts'
import payments from '../payments.ts'
import sweepPayments from '../sweep-payments.ts'
import { payer, testPayments, type TestPayments } from '../testing/payments-fixture.ts'

/** Payments against a model, while functions die before and after each call to the ledger and each database
 * transaction, as if the process had been killed there. */

const other = randomUUID()
let bank: TestPayments

beforeAll(async () => {
  bank = await testPayments({
    ...{ create: createPayment, execute: executePayment, cancel: cancelPayment },
    ...{ payments, sweep: sweepPayments },
  })
  for (const { tools } of Object.values(bank.functions)) makeMortal(tools)
})
afterAll(async () => {
  expect(await bank.ledger.faults()).toEqual([])
  await bank.stop()
})

/** Which of the next waits is the last of its process, by its number; undefined for none. */
let diesAt: number | undefined
let waits = 0
let isDead = false

function letDieAt(wait: number | undefined): void {
  ;[diesAt, waits, isDead] = [wait, 0, false]
}

/** A dead process does nothing more. */
function live(): void {
  isDead ||= waits++ === diesAt
  if (isDead) throw new Error('killed')
}

/** Lets a function die before and after everything that it waits for. */
function makeMortal(tools: TestPayments['functions']['create']['tools']): void {
  const { transact, callFor } = tools
  tools.transact = async (traceparent, work) => {
    live()
    const result = await transact(traceparent, work)
    live()
    return result
  }
  tools.callFor =
    (...customer) =>
    async (service, call) => {
      live()
      const answer = await callFor(...customer)(service, call)
      live()
      return answer
    }
}

type Step = { act: 'create' | 'execute' | 'cancel' | 'expire'; who: 0 | 1; diesAt: number | undefined }
const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('create', 'create', 'execute', 'execute', 'cancel', 'expire'),
  who: fc.constantFrom(0, 1),
  diesAt: fc.option(fc.nat(9), { nil: undefined }),
})

const due = (id: string) =>
  bank.owner.query({
    text: `alter table payments disable trigger step_by_step;
      update payments set expires_at = now() where id = '${id}';
      alter table payments enable trigger step_by_step`,
  })

test('whatever dies, a payment ends once, as it was decided first, and no money is lost, doubled or held on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const users = [payer, other] as const
      const from = [
        await bank.ledger.open({ userId: payer }),
        await bank.ledger.open({ userId: other }),
      ] as const
      const shop = await bank.ledger.open({ userId: randomUUID() })
      await bank.ledger.post(...users.map((userId, i) => deposit(from[i]!, 100_00, { caller_id: userId })))
      // The model: the first ends that were asked for, per payment. Only an answer of 200 makes it sure.
      const asked = new Map<string, Set<string>>()
      const sure = new Map<string, string>()
      const latest: (string | undefined)[] = [undefined, undefined]
      for (const { act, who, diesAt: at } of steps) {
        letDieAt(at)
        const userId = users[who]
        const id = latest[who]
        if (act === 'create') {
          const body = { account_id: from[who], amount: 10, payee_account_id: shop }
          const answer = await bank.post('create', body, { userId, key: randomUUID() })
          if (answer.status === 201) latest[who] = answer.body.id as string
        } else if (id && act === 'expire') {
          await due(id)
          asked.set(id, (asked.get(id) ?? new Set()).add('expired'))
          await bank.ping().catch(() => undefined)
        } else if (id && act !== 'expire') {
          asked.set(id, (asked.get(id) ?? new Set()).add(act === 'execute' ? 'executed' : 'cancelled'))
          const answer = await bank.post(act, { payment_id: id }, { userId })
          const name = answer.status === 200 ? (answer.body.status as string) : undefined
          if (name) expect(sure.get(id) ?? name).toBe(name)
          if (name) sure.set(id, name)
        }
      }
      letDieAt(undefined)
      await bank.letAMinutePass()
      await bank.ping()

      const rows = await bank.db.query<{ id: string; status: string; account_id: string }>({
        text: 'select id, status, account_id from payments where account_id = any ($1)',
        values: [from],
      })
      for (const { id, status } of rows) {
        expect(status).not.toMatch(/ing$/)
        if (sure.has(id)) expect(status).toBe(sure.get(id))
        if (status !== 'created') expect([...(asked.get(id) ?? [])]).toContain(status)
      }
      const count = (account: string, status: string) =>
        BigInt(rows.filter((row) => row.account_id === account && row.status === status).length)
      for (const account of from) {
        const [row] = await bank.ledger.db.query<{ balance: bigint; held: bigint }>({
          text: 'select balance, held from accounts where id = $1',
          values: [account],
        })
        expect(row).toEqual({
          balance: 100_00n - 10_00n * count(account, 'executed'),
          held: 10_00n * count(account, 'created'),
        })
      }
      const paid = rows.filter(({ status }) => status === 'executed').length
      expect(await bank.ledger.balances(shop)).toEqual([BigInt(paid) * 10_00n])
    }),
    { numRuns: 20 },
  )
}, 240_000)
