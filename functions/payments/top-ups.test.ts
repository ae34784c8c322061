import { randomUUID } from 'node:crypto'
import { deliverEvent } from '../../tests/support/events.ts'
import { callKey, token } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { createCallFor } from '../host/http/call-for.ts'
import { createFunctionClient } from '../host/http/call.ts'
import type { IncomingAnswer, OutgoingRequest } from '../host/http/send.ts'
import { providerDue } from '../../eventing/contracts/provider.due.ts'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { ending, placing } from '../ledger/testing/ledger-fixture.ts'
import askProvider from './ask-provider.ts'
import receiveHook from './receive-hook.ts'
import sandboxProvider from './sandbox-provider.ts'
import sweepPayments from './sweep-payments.ts'
import topUps from './top-ups.ts'
import withdrawals from './withdrawals.ts'
import { settleTransfer } from './providers/settle.ts'
import { readProviderTransfer } from './providers/provider-transfer.ts'
import { dying } from './testing/dying.ts'
import {
  account,
  ada,
  bob,
  cancel,
  create,
  db,
  eventOf,
  eventsOf,
  functions,
  goOn,
  ledger,
  money,
  owner,
  reportOf,
  restart,
  router,
  sendHook,
  settleInSandbox,
  show,
  sweep,
  useProvider,
} from './testing/provider-fixture.ts'

/** Money that comes from outside the bank, or goes there, by way of a payment provider. */

useProvider({
  ...{ topUps, withdrawals, hooks: receiveHook, ask: askProvider },
  ...{ sandbox: sandboxProvider, sweep: sweepPayments },
})

const named = ({ status, body }: { status: number; body: { type?: string } }) => [
  status,
  body.type?.split('/').pop(),
]

describe('a top-up', () => {
  test('is credited once the provider has settled it, though all its web hooks come twice and in disorder', async () => {
    const { status, body } = await create('top-up', { description: 'Rent' })
    expect([status, body.status, body.transaction_id]).toEqual([201, 'pending', null])
    expect(await money()).toMatchObject({ balance: 900_00n })
    await settleInSandbox(body.id)
    await goOn(body.id)
    const shown = (await show('top-up', `/${body.id}`)).body
    expect(shown).toMatchObject({ status: 'completed', failure: null, dispute: null })
    expect(await money()).toMatchObject({ balance: 925_00n })
    expect(await eventOf(body.id, 'topup.completed')).toMatchObject({
      ...{ user_id: ada, account_id: account, amount: '25.00', transaction_id: shown.transaction_id },
    })
    expect(eventsOf(body.id).filter((type) => type === 'topup.completed')).toHaveLength(1)
  })

  test('fails if the provider refuses it, at once or later, and no money comes', async () => {
    const refused = (await create('top-up', { amount: '10.01' })).body
    expect([refused.status, refused.failure]).toEqual(['failed', 'declined'])
    const later = (await create('top-up', { amount: '10.02' })).body
    await settleInSandbox(later.id)
    expect((await show('top-up', `/${later.id}`)).body).toMatchObject({
      status: 'failed',
      failure: 'declined',
    })
    for (const { id } of [refused, later])
      expect(await eventOf(id, 'topup.failed')).toMatchObject({ failure: 'declined' })
    expect(await money()).toMatchObject({ balance: 900_00n })
  })

  test('is refused before the provider is asked if the ledger would refuse it', async () => {
    const calls = router.count('sandbox-provider')
    const limited = await ledger.open({ userId: ada, depositLimit: 10_00n })
    const euros = await ledger.open({ userId: ada, currency: 'EUR' })
    expect(named(await create('top-up', { account_id: limited }))).toEqual([409, 'limit-exceeded'])
    expect(named(await create('top-up', { account_id: euros }))).toEqual([422, 'currency-mismatch'])
    expect(named(await create('top-up', {}, { userId: bob }))).toEqual([404, 'account-not-found'])
    await ledger.setStatus(account, 'frozen')
    expect(named(await create('top-up'))).toEqual([409, 'account-frozen'])
    expect(router.count('sandbox-provider')).toBe(calls)
  })

  test('that the ledger refuses after all waits until it can be booked, and is booked once', async () => {
    const { id } = (await create('top-up', { amount: '7.05' })).body
    expect((await show('top-up', `/${id}`)).body.status).toBe('completed')
    const other = (await create('top-up')).body
    await ledger.setStatus(account, 'frozen')
    await settleInSandbox(other.id)
    await goOn(other.id)
    const seen = await show('top-up', `/${other.id}`, { userId: randomUUID(), role: 'operator' })
    expect(seen.body).toMatchObject({ status: 'crediting', dispute: 'account-frozen' })
    expect((await show('top-up', `/${other.id}`)).body.dispute).toBeNull()
    expect(await eventOf(other.id, 'clearing.disputed')).toMatchObject({ reason: 'account-frozen' })
    expect(eventsOf(other.id).filter((type) => type === 'clearing.disputed')).toHaveLength(1)
    await ledger.setStatus(account, 'open')
    await sweep(other.id)
    expect((await show('top-up', `/${other.id}`)).body.status).toBe('completed')
    expect(await money()).toMatchObject({ balance: 932_05n })
  })

  test('can be cancelled while it is pending, by its owner', async () => {
    const { id } = (await create('top-up')).body
    expect((await cancel('top-up', id, { userId: bob })).status).toBe(404)
    const { status, body } = await cancel('top-up', id)
    expect([status, body.status, body.failure]).toEqual([200, 'failed', 'cancelled'])
    expect((await cancel('top-up', id)).status).toBe(200)
    await settleInSandbox(id)
    expect((await show('top-up', `/${id}`)).body.status).toBe('failed')
    const settled = (await create('top-up', { amount: '7.05' })).body
    expect(named(await cancel('top-up', settled.id))).toEqual([409, 'not-cancellable'])
  })
})

describe('a withdrawal', () => {
  test('is held, and taken once the provider has paid it out', async () => {
    const { status, body } = await create('withdrawal')
    expect([status, body.status, body.payee_name]).toEqual([201, 'pending', 'Ada'])
    expect(await money()).toEqual({ balance: 900_00n, held: 25_00n })
    await settleInSandbox(body.id)
    await goOn(body.id)
    expect((await show('withdrawal', `/${body.id}`)).body.status).toBe('completed')
    expect(await money()).toEqual({ balance: 875_00n, held: 0n })
    expect(await eventOf(body.id, 'withdrawal.completed')).toMatchObject({ amount: '25.00' })
  })

  test('that the provider refuses, at once or later, or that is cancelled, is released', async () => {
    const atOnce = (await create('withdrawal', { amount: '10.01' })).body
    expect([atOnce.status, atOnce.failure]).toEqual(['failed', 'declined'])
    const later = (await create('withdrawal', { amount: '10.02' })).body
    await settleInSandbox(later.id)
    await goOn(later.id)
    const { id } = (await create('withdrawal')).body
    expect((await cancel('withdrawal', id)).body).toMatchObject({ status: 'failed', failure: 'cancelled' })
    for (const each of [atOnce.id, later.id, id]) await eventOf(each, 'withdrawal.failed')
    expect(await money()).toEqual({ balance: 900_00n, held: 0n })
  })

  test('that the ledger refuses to hold is refused, and the provider is not asked', async () => {
    const calls = router.count('sandbox-provider')
    expect(named(await create('withdrawal', { amount: '900.01' }))).toEqual([409, 'insufficient-funds'])
    expect(named(await create('withdrawal', {}, { userId: bob }))).toEqual([404, 'account-not-found'])
    expect(router.count('sandbox-provider')).toBe(calls)
  })

  test('moves its money once, whichever line the process dies at', async () => {
    const tools = functions.ask.tools
    let died = 0
    for (const when of ['before', 'after'] as const)
      for (let at = 0; at < 7; at++) {
        const id = await storedWithdrawal()
        const ended = await settleTransfer(
          (await readProviderTransfer(db, id))!,
          dying(tools, at, when),
          TRACE,
        ).catch((error: Error) => error)
        if (ended instanceof Error) died++
        await goOn(id)
        expect((await show('withdrawal', `/${id}`)).body.status).toBe('completed')
      }
    expect(died).toBeGreaterThan(8)
    expect(await money()).toEqual({ balance: 900_00n - 14n * 1_05n, held: 0n })
  })
})

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Minutes until the sweep looks after a transfer. */
async function minutesToNext(id: string): Promise<number> {
  const [row] = await db.query<{ minutes: number }>({
    text: `select (extract(epoch from next_at - now()) / 60)::float8 as minutes from provider_transfers where id = $1`,
    values: [id],
  })
  return row!.minutes
}

/** A withdrawal of 1.05, which the sandbox settles at once, stored by a process that died then. */
async function storedWithdrawal(): Promise<string> {
  const [row] = await db.query<{ id: string }>({
    text: `insert into provider_transfers (kind, user_id, account_id, amount, currency, payee_name, payee_account,
        provider, status) values ('withdrawal', $1, $2, 105, 'USD', 'Ada', 'DE89', 'sandbox', 'placing') returning id`,
    values: [ada, account],
  })
  return row!.id
}

describe('a provider that is hard to reach', () => {
  test('is asked again by the sweep, with the same key: nothing is asked for twice', async () => {
    const key = randomUUID()
    router.passage = (service) => (service === 'sandbox-provider' ? 'lose-answer' : 'pass')
    const { status, body } = await create('top-up', {}, { key })
    expect([status, body.status]).toEqual([201, 'asking'])
    router.passage = () => 'pass'
    await sweep(body.id)
    const again = await create('top-up', {}, { key })
    expect([again.body.id, again.body.status]).toEqual([body.id, 'pending'])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    await settleInSandbox(body.id)
    await goOn(body.id)
    expect(await money()).toMatchObject({ balance: 925_00n })
    await restart()
  })

  test('and takes what it is asked for in silence keeps nobody else waiting, and nothing is lost', async () => {
    const { tools } = functions.ask
    const { send, config } = tools
    let giveUp = (): void => {}
    const isLate = new Promise<void>((resolve) => (giveUp = resolve))
    /** Waits for the provider until the test says that it is late, and not for some seconds. */
    const sendPatiently = async (asked: OutgoingRequest): Promise<IncomingAnswer> => {
      if (!asked.url.includes('//sandbox-provider.')) return send(asked)
      void send(asked).catch(() => undefined)
      await isLate
      throw new UnavailableError('the provider did not answer')
    }
    const call = createFunctionClient(
      Object.assign(sendPatiently, { pipeline: send.pipeline }),
      config.SERVICE_DOMAIN,
    )
    const key = JSON.parse(callKey.settings.PAYMENTS_CALL_KEY!) as Record<string, unknown>
    const patient = { ...tools, callFor: createCallFor(call, { context: 'payments', key }) }
    const other = (await create('top-up')).body
    await settleInSandbox(other.id)
    router.passage = (service) => (service === 'sandbox-provider' ? 'silence' : 'pass')
    const waiting = await Promise.all([1, 2, 3].map(storedWithdrawal))
    const calls = router.count('sandbox-provider')
    const asking = waiting.map(async (id) => {
      const given = settleTransfer((await readProviderTransfer(db, id))!, patient, TRACE)
      await expect(given).rejects.toThrow(UnavailableError)
    })
    await until(() => router.count('sandbox-provider') === calls + 3, { what: 'all to be asked for' })
    await goOn(other.id)
    expect((await show('top-up', `/${other.id}`)).body.status).toBe('completed')
    giveUp()
    await Promise.all(asking)
    router.passage = () => 'pass'
    for (const id of waiting) {
      expect((await show('withdrawal', `/${id}`)).body.status).toBe('asking')
      await sweep(id)
      expect((await show('withdrawal', `/${id}`)).body.status).toBe('completed')
    }
    expect(await money()).toEqual({ balance: 925_00n - 3n * 1_05n, held: 0n })
  })

  test('whose word is disputed is asked ever more rarely, and so is a ledger that refuses', async () => {
    const { body } = await create('top-up')
    const blocked = (await create('top-up')).body
    await settleInSandbox(blocked.id)
    await ledger.setStatus(account, 'frozen')
    await goOn(blocked.id)
    expect(await minutesToNext(blocked.id)).toBeGreaterThan(55)
    await sendHook(reportOf(blocked, 'top-up'))
    expect(await minutesToNext(blocked.id)).toBeGreaterThan(55)
    router.passage = (service) =>
      service === 'sandbox-provider'
        ? ({ body: said }) => ({ status: 200, body: { ...said, amount: '1.00' } })
        : 'pass'
    await sweep(body.id)
    expect(await eventOf(body.id, 'clearing.disputed')).toMatchObject({ reason: 'other-amount' })
    await sweep(body.id)
    expect(await minutesToNext(body.id)).toBeGreaterThan(10)
    expect((await show('top-up', `/${body.id}`)).body.status).toBe('pending')
  })

  test('may settle before its answer has come', async () => {
    router.passage = (service) => (service === 'sandbox-provider' ? 'lose-answer' : 'pass')
    const { body } = await create('top-up')
    router.passage = () => 'pass'
    expect(body.status).toBe('asking')
    await settleInSandbox(body.id)
    expect((await show('top-up', `/${body.id}`)).body.status).toBe('crediting')
    await goOn(body.id)
    expect((await show('top-up', `/${body.id}`)).body.status).toBe('completed')
    expect(await money()).toMatchObject({ balance: 925_00n })
    await restart()
  })

  test('whose web hook is lost is asked what became of it', async () => {
    const { body } = await create('top-up', { amount: '5.03' })
    await settleInSandbox(body.id)
    expect((await show('top-up', `/${body.id}`)).body.status).toBe('pending')
    await sweep(body.id)
    expect((await show('top-up', `/${body.id}`)).body.status).toBe('completed')
  })

  test.each([
    ['is no report', () => ({ status: 201, body: { state: 'settled' } })],
    ['is of another transfer', ({ body }) => ({ status: 201, body: { ...body, reference: randomUUID() } })],
    ['is an error', () => ({ status: 500, body: {} })],
    ['is no JSON', () => ({ status: 201, body: 'settled' })],
  ] as [string, (answer: { status: number; body: object }) => { status: number; body: unknown }][])(
    'is not believed if its answer %s',
    async (_, lie) => {
      router.passage = (service) => (service === 'sandbox-provider' ? (lie as never) : 'pass')
      const { body } = await create('top-up', { amount: '7.05' })
      router.passage = () => 'pass'
      expect(body.status).toBe('asking')
      await sweep(body.id)
      expect((await show('top-up', `/${body.id}`)).body.status).toBe('completed')
      expect(await money()).toMatchObject({ balance: 907_05n })
      await restart()
    },
  )

  test('that tells of another transfer, when asked for one, settles neither', async () => {
    router.passage = (service) => (service === 'sandbox-provider' ? 'lose-answer' : 'pass')
    const other = (await create('top-up', { amount: '7.00' })).body
    await restart()
    router.passage = (service) =>
      service === 'sandbox-provider'
        ? () => ({ status: 201, body: { ...reportOf(other, 'top-up'), reference: other.id } })
        : 'pass'
    const { body } = await create('top-up', { amount: '7.00' })
    for (const { id } of [other, body]) expect((await show('top-up', `/${id}`)).body.status).toBe('asking')
    await restart()
  })

  test('that tells another amount gets nothing credited', async () => {
    router.passage = (service) =>
      service === 'sandbox-provider'
        ? ({ body }) => ({ status: 201, body: { ...body, amount: '1.00' } })
        : 'pass'
    const { body } = await create('top-up', { amount: '7.05' })
    expect(body.status).toBe('asking')
    expect(await eventOf(body.id, 'clearing.disputed')).toMatchObject({ reason: 'other-amount' })
    expect(await money()).toMatchObject({ balance: 900_00n })
  })

  test('that has forgotten a key is not asked for the money again', async () => {
    const id = await storedWithdrawal()
    await owner.query({ text: 'alter table provider_transfers disable trigger step_by_step' })
    await owner.query({
      text: `update provider_transfers set created_at = now() - interval '21 hours' where id = $1`,
      values: [id],
    })
    await owner.query({ text: 'alter table provider_transfers enable trigger step_by_step' })
    await goOn(id)
    expect((await show('withdrawal', `/${id}`)).body).toMatchObject({
      ...{ status: 'failed', failure: 'outcome-unknown' },
    })
    expect(await money()).toEqual({ balance: 900_00n, held: 0n })
  })
})

describe('a dispute', () => {
  const operator = { userId: randomUUID(), role: 'operator' } as const
  const resolve = async (id: string, body: object, who: Parameters<typeof token>[0] = operator) =>
    functions.topUps.request('POST', `/payments/top-ups/${id}/resolve`, {
      token: await token(who),
      body: { reason: 'seen on the statement', ...body },
    })
  const seen = async (id: string) => (await show('top-up', `/${id}`, operator)).body

  test('about a booking of which nobody knows ends as an operator says, and nothing is booked twice', async () => {
    const { id } = (await create('top-up')).body
    const other = (await create('top-up', { amount: '7.05' })).body
    await settleInSandbox(id)
    router.passage = (service) => (service === 'clearing' ? 'lose-answer' : 'pass')
    await deliverEvent(functions.ask, providerDue as EventContract, { transfer_id: id })
    router.passage = () => 'pass'
    await restart()
    await owner.query({
      text: `update provider_transfers set asked_at = now() - interval '8 days' where id = $1`,
      values: [id],
    })
    await goOn(id)
    expect(await seen(id)).toMatchObject({ status: 'crediting', dispute: 'outcome-unknown' })
    expect(await money()).toMatchObject({ balance: 932_05n })
    const [booked] = await ledger.db.query<{ id: string }>({
      text: `select id from transactions where account_id = $1 and amount = 2500`,
      values: [account],
    })
    const transaction = { action: 'booked', transaction_id: booked!.id }
    expect(named(await resolve(id, transaction, { userId: ada }))).toEqual([403, 'forbidden'])
    for (const body of [
      { action: 'booked' },
      { ...transaction, action: 'dismiss' },
      { ...transaction, transaction_id: other.transaction_id },
      { ...transaction, transaction_id: randomUUID() },
    ])
      expect(named(await resolve(id, body))).toEqual([409, 'not-resolvable'])
    expect((await resolve(id, transaction)).status).toBe(200)
    expect(await seen(id)).toMatchObject({
      ...{ status: 'completed', dispute: null, transaction_id: booked!.id },
    })
    expect(named(await resolve(id, transaction))).toEqual([409, 'not-resolvable'])
    expect(await money()).toMatchObject({ balance: 932_05n })
    expect(await eventOf(id, 'topup.completed')).toMatchObject({ transaction_id: booked!.id })
  })

  test('that an operator ended with the transaction of another transfer leads to one about that', async () => {
    const [wrong, right] = [(await create('top-up')).body, (await create('top-up')).body]
    for (const { id } of [wrong, right]) await settleInSandbox(id)
    router.passage = (service) => (service === 'clearing' ? 'lose-answer' : 'pass')
    await deliverEvent(functions.ask, providerDue as EventContract, { transfer_id: right.id })
    router.passage = () => 'pass'
    await restart()
    const [booked] = await ledger.db.query<{ id: string }>({
      text: `select id from transactions where account_id = $1 and amount = 2500`,
      values: [account],
    })
    const disputed = { text: `update provider_transfers set dispute = 'x' where id = $1`, values: [wrong.id] }
    await owner.query(disputed)
    expect((await resolve(wrong.id, { action: 'booked', transaction_id: booked!.id })).status).toBe(200)
    await goOn(right.id)
    expect(await seen(right.id)).toMatchObject({ status: 'crediting', dispute: 'booked-for-another' })
  })

  test('about a refusal is booked at once, and once, also if the answer of an attempt was lost', async () => {
    const { id } = (await create('top-up')).body
    await settleInSandbox(id)
    await ledger.setStatus(account, 'frozen')
    await goOn(id)
    expect(await seen(id)).toMatchObject({ status: 'crediting', dispute: 'account-frozen' })
    await ledger.setStatus(account, 'open')
    router.passage = (service) => (service === 'clearing' ? 'lose-answer' : 'pass')
    await deliverEvent(functions.ask, providerDue as EventContract, { transfer_id: id })
    router.passage = () => 'pass'
    await restart()
    expect(await seen(id)).toMatchObject({ status: 'crediting', dispute: 'account-frozen' })
    // The ledger would still be asked: what was paid back elsewhere would be there twice.
    expect(named(await resolve(id, { action: 'dismiss' }))).toEqual([409, 'not-resolvable'])
    expect((await resolve(id, { action: 'book' })).status).toBe(200)
    await goOn(id)
    expect(await seen(id)).toMatchObject({ status: 'completed', dispute: null })
    expect(await money()).toMatchObject({ balance: 925_00n })
  })

  test('about an account that is closed for good ends when an operator has given the money back, and it is told', async () => {
    const empty = await ledger.open({ userId: ada })
    const { id } = (await create('top-up', { account_id: empty })).body
    await settleInSandbox(id)
    await owner.query({
      text: `update provider_transfers set asked_at = now() - interval '8 days' where id = $1`,
      values: [id],
    })
    await goOn(id)
    expect(await seen(id)).toMatchObject({ status: 'crediting', dispute: 'outcome-unknown' })
    await ledger.setStatus(empty, 'closed')
    // Nobody knows yet that it can't be booked.
    expect(named(await resolve(id, { action: 'dismiss' }))).toEqual([409, 'not-resolvable'])
    expect((await resolve(id, { action: 'book' })).status).toBe(200)
    await goOn(id)
    expect(await seen(id)).toMatchObject({ status: 'crediting', dispute: 'account-closed' })
    expect(await minutesToNext(id)).toBe(Infinity)
    expect(named(await resolve(id, { action: 'book' }))).toEqual([409, 'not-resolvable'])
    expect((await resolve(id, { action: 'dismiss' })).body).toMatchObject({
      ...{ status: 'failed', failure: 'settled-outside', dispute: null },
    })
    expect(await eventOf(id, 'topup.failed')).toMatchObject({ failure: 'settled-outside' })
    await goOn(id)
    expect((await show('top-up', `/${id}`)).body.status).toBe('failed')
    expect(await money(empty)).toEqual({ balance: 0n, held: 0n })
    // The provider says the same again, which is nothing new. If it takes that back, the bank has lost money.
    const report = (state: string) => reportOf({ id, amount: '25.00', currency: 'USD' }, 'top-up', state)
    await sendHook(report('settled'))
    expect((await seen(id)).dispute).toBeNull()
    await sendHook(report('failed'))
    expect((await seen(id)).dispute).toBe('failed-after-settled')
    expect((await resolve(id, { action: 'dismiss' })).body).toMatchObject({ status: 'failed', dispute: null })
  })

  test('about a hold that has ended ends in the same way', async () => {
    const { id, hold_id: hold } = (await create('withdrawal')).body
    await settleInSandbox(id)
    const placed = { ...placing(account, 25_00), id: hold as string }
    await ledger.post(ending('release', placed, 25_00, { caller_role: 'operator' }))
    await goOn(id)
    const answer = await functions.withdrawals.request('POST', `/payments/withdrawals/${id}/resolve`, {
      ...{ token: await token(operator), body: { action: 'dismiss', reason: 'paid back by the provider' } },
    })
    expect(answer.body).toMatchObject({ status: 'failed', failure: 'settled-outside', dispute: null })
    expect(await eventOf(id, 'withdrawal.failed')).toMatchObject({ failure: 'settled-outside' })
    expect(await money()).toEqual({ balance: 900_00n, held: 0n })
  })

  test('stands in a list of its own, for operators', async () => {
    const { body } = await create('top-up', { amount: '7.05' })
    await owner.query({
      text: `update provider_transfers set dispute = 'x' where id = $1`,
      values: [body.id],
    })
    const ids = async (query: string, who = {}) =>
      ((await show('top-up', query, who)).body.items as { id: string }[]).map(({ id }) => id)
    expect((await ids('?disputed=true', operator))[0]).toBe(body.id)
    expect(await ids('?disputed=false', operator)).not.toContain(body.id)
    expect([await ids('?disputed=true'), (await ids('?disputed=false'))[0]]).toEqual([[], body.id])
  })

  test('that was settled elsewhere is dismissed, and the audit says who did and why', async () => {
    const { body } = await create('top-up', { amount: '7.05' })
    await owner.query({
      text: `update provider_transfers set dispute = 'x' where id = $1`,
      values: [body.id],
    })
    expect(named(await resolve(body.id, { action: 'book' }))).toEqual([409, 'not-resolvable'])
    expect((await resolve(body.id, { action: 'dismiss' })).body).toMatchObject({
      ...{ status: 'completed', dispute: null },
    })
    expect(named(await resolve(body.id, { action: 'dismiss' }))).toEqual([409, 'not-resolvable'])
    const [row] = await owner.query({
      text: 'select caller_id, owner_id, details from audit where subject = $1 and caller_id = $2',
      values: [body.id, operator.userId],
    })
    expect(row).toMatchObject({
      ...{ owner_id: ada, details: { action: 'dismiss', reason: 'seen on the statement' } },
    })
  })
})

describe('who may do what', () => {
  test.each(['top-up', 'withdrawal'] as const)('%ss are their owner’s', async (kind) => {
    const { id } = (await create(kind)).body
    expect((await show(kind, `/${id}`, { userId: bob })).status).toBe(404)
    const theirs = (await show(kind, '', { userId: bob })).body.items as { id: string }[]
    expect(theirs.some((each) => each.id === id)).toBe(false)
    const { items } = (await show(kind, '?limit=1')).body
    expect(items).toMatchObject([{ id }])
    const operator = { userId: randomUUID(), role: 'operator' } as const
    expect((await show(kind, `/${id}`, operator)).status).toBe(200)
    expect(named(await create(kind, {}, operator))).toEqual([403, 'forbidden'])
    const path = `/payments/${kind}s`
    const to = kind === 'top-up' ? functions.topUps : functions.withdrawals
    expect((await to.request('POST', path, { body: {} })).status).toBe(401)
    const other = kind === 'top-up' ? 'withdrawal' : 'top-up'
    expect((await show(other, `/${id}`)).status).toBe(404)
  })

  test('bad input changes nothing', async () => {
    for (const body of [
      ...[{ amount: '0' }, { amount: '-1' }, { amount: '1.001' }, { currency: 'XXX' }],
      ...[{ unknown: 1 }, { account_id: 'a' }],
    ])
      expect([body, (await create('top-up', body)).status]).toEqual([body, 400])
    for (const body of [{ payee_account: '!' }, { payee_name: '' }, { payee_account: undefined }])
      expect([body, (await create('withdrawal', body)).status]).toEqual([body, 400])
  })

  test('a key counts once, also if it comes twice at once', async () => {
    const key = randomUUID()
    const answers = await Promise.all([1, 2, 3].map(() => create('withdrawal', {}, { key })))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(await money()).toEqual({ balance: 900_00n, held: 25_00n })
    expect(named(await create('withdrawal', { amount: '26.00' }, { key }))).toEqual([
      ...[422, 'idempotency-key-reused'],
    ])
  })

  test('a customer can have some pending, and no more', async () => {
    const carl = randomUUID()
    const theirs = await ledger.open({ userId: carl })
    await db.query({
      text: `insert into provider_transfers (kind, user_id, account_id, amount, currency, provider, status)
        select 'top-up', $1, $2, 1, 'USD', 'sandbox', 'pending' from generate_series(1, 20)`,
      values: [carl, theirs],
    })
    const more = await create('top-up', { account_id: theirs }, { userId: carl })
    expect(named(more)).toEqual([409, 'too-many-pending-transfers'])
  })

  test('only payments may ask the sandbox, and only the Broker may tell of what is due', async () => {
    const bearer = await token({ userId: ada })
    const asked = await functions.sandbox.request('GET', `/sandbox/transfers/${randomUUID()}`, {
      token: bearer,
    })
    expect(asked.status).toBe(403)
    const forged = await deliverEvent(
      functions.ask,
      providerDue as EventContract,
      { transfer_id: randomUUID() },
      { signedBy: 'ledger' },
    )
    expect(forged.status).toBeGreaterThanOrEqual(500)
  })
})
