import { Webhook } from 'standardwebhooks'
import { multipart, PDF, send } from '../../functions/documents/testing/documents-fixture.ts'
import { startReceiver, type Receiver } from '../../functions/payments/web-hooks/web-hooks-fixture.ts'
import { loginOperator, type Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { settled } from '../support/redelivery.ts'
import { signal } from '../support/signal.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Web hooks of a whole bank: from a customer's deposit to a receiver that checks the signature. */

let bank: Bank
let ada: Customer
let account: string
let receiver: Receiver

export function webHooks(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    receiver = await startReceiver()
    ada = await registerCustomer(bank)
    account = await ada.openAccount('checking')
  })
  afterAll(() => receiver?.close())

  const call = (method: string, path: string, body?: object): Promise<Answer> =>
    bank.call(method, `/api/webhooks${path}`, { token: ada.token, body })

  /** Creates a hook that leads to the receiver. */
  const hookFor = async (types: string[]): Promise<{ id: string; secret: string }> => {
    const { status, body } = await call('POST', '', { url: receiver.url, types })
    expect(status).toBe(201)
    return body
  }

  const deliveries = async (id: string) =>
    (await call('GET', `/${id}/deliveries`)).body.items as { id: string; status: string; attempts: number }[]

  test('a deposit reaches the customer’s hook, and the published library verifies it', async () => {
    const { id, secret } = await hookFor(['transaction.completed'])
    const rotated = await call('POST', `/${id}/secrets`)
    const deposit = await ada.transact({ type: 'deposit', account_id: account, amount: '5.00' })
    const [got] = await until(() => receiver.received.length > 0 && receiver.received, {
      what: 'the web hook',
    })
    for (const each of [secret, rotated.body.secret])
      expect(new Webhook(each).verify(got!.body, got!.headers)).toMatchObject({
        type: 'transaction.completed',
        data: { transaction_id: deposit.body.id, user_id: ada.id, amount: '5.00' },
      })
    await until(async () => (await deliveries(id))[0]?.status === 'delivered')
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
  })

  test('a posting is offered to web hooks if it concerns somebody who has one for it', async () => {
    receiver.received.length = 0
    const [eve, bob] = [await registerCustomer(bank), await registerCustomer(bank)]
    const [eves, bobs] = [await eve.openAccount('checking'), await bob.openAccount('checking')]
    /** Events that the Trigger of all that is offered has delivered. */
    const delivered = async (): Promise<number> => {
      const triggers = (await bank.status()).brokers.flatMap((broker) => broker.triggers)
      return triggers.find(({ name }) => name === 'queue-web-hooks')!.delivered
    }
    /** Transfers money from Eve to Bob, and waits until all have heard of it. Resolves with the
     * transaction, and with how many events queue-web-hooks got. */
    const transfer = async (): Promise<{ id: string; got: number }> => {
      await settled(bank)
      const before = await delivered()
      const body = { type: 'transfer', account_id: eves, to_account_id: bobs, amount: '1.00' }
      const { status, body: transaction } = await eve.transact(body)
      expect(status).toBe(201)
      await settled(bank)
      return { id: transaction.id, got: (await delivered()) - before }
    }
    const told = (id: string) =>
      receiver.received.filter(({ body }) => body.includes(id)).map(({ path }) => path)
    const hookOf = async (token: string, path: string): Promise<string> => {
      const body = { url: receiver.url + path, types: ['transaction.completed'] }
      const created = await bank.call('POST', '/api/webhooks', { token, body })
      expect(created.status).toBe(201)
      return created.body.id as string
    }
    const remove = async (token: string, id: string) =>
      expect((await bank.call('DELETE', `/api/webhooks/${id}`, { token })).status).toBe(204)
    const endWatches = async () => {
      await bank.sql('payments', `update web_hook_owners set watched_at = watched_at - interval '3 minutes'`)
      await bank.ping('sweep-payments')
      await until(async () => (await bank.sql('ledger', 'select from posting_watches')).length === 0, {
        what: 'the watches to end',
      })
    }

    await endWatches()
    await eve.transact({ type: 'deposit', account_id: eves, amount: '50.00' })
    expect((await transfer()).got).toBe(0)

    const payees = await hookOf(bob.token, '/bob')
    const ofPayee = await transfer()
    await until(() => told(ofPayee.id).length === 1, { what: 'the payee’s web hook' })
    const operator = await loginOperator(bank)
    const operators = await hookOf(operator, '/operator')
    const ofBoth = await transfer()
    await until(() => told(ofBoth.id).length === 2, { what: 'both web hooks' })
    expect([ofPayee.got, told(ofPayee.id)]).toEqual([1, ['/hook/bob']])
    expect([ofBoth.got, told(ofBoth.id).sort()]).toEqual([1, ['/hook/bob', '/hook/operator']])
    await remove(bob.token, payees)
    const ofOperator = await transfer()
    await until(() => told(ofOperator.id).length === 1, { what: 'the operator’s web hook' })

    await remove(operator, operators)
    await endWatches()
    expect((await transfer()).got).toBe(0)
  })

  test('documents reach the customer’s hook, and of notifications those that they chose', async () => {
    receiver.received.length = 0
    const { id, secret } = await hookFor(['document.uploaded', 'notification.stored'])
    const chosen = await bank.call('PUT', '/api/notifications/preferences', {
      token: ada.token,
      body: { language: 'de', events: { 'hold.placed': { webhook: true } } },
    })
    expect(chosen.status).toBe(200)
    const uploaded = await send(bank.url, multipart([{ content: PDF }]), {
      ...{ token: ada.token, path: '/api/media/upload' },
    })
    await ada.transact({ type: 'deposit', account_id: account, amount: '5.00' })
    const hold = { account_id: account, amount: '1.00', expires_in: 3600 }
    expect((await bank.call('POST', '/api/holds', { token: ada.token, body: hold })).status).toBe(201)
    await until(() => receiver.received.length >= 2, { what: 'both web hooks' })
    const got = receiver.received.map(
      ({ body, headers }) => new Webhook(secret).verify(body, headers) as { type: string; data: object },
    )
    expect(got.sort((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: 'document.uploaded', data: { document_id: uploaded.body.public_id, user_id: ada.id } },
      {
        type: 'notification.stored',
        data: { user_id: ada.id, event_type: 'hold.placed', message: expect.stringContaining('1,00') },
      },
    ])
    // The deposit's notification came before that of the hold, and is not among them.
    const { body } = await bank.call('GET', '/api/notifications', { token: ada.token })
    expect(body.items.map((each: { event_type: string }) => each.event_type)).toContain(
      'transaction.completed',
    )
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
  })

  test('a process that is killed in the middle of an attempt loses nothing', async () => {
    receiver.received.length = 0
    const { id, secret } = await hookFor(['hold.placed'])
    receiver.answer = () => {}
    const hold = { account_id: account, amount: '1.00', expires_in: 3600 }
    expect((await bank.call('POST', '/api/holds', { token: ada.token, body: hold })).status).toBe(201)
    await until(() => receiver.received.length === 1, { what: 'the first attempt' })
    signal(bank.functionPids(), 'SIGKILL')
    receiver.answer = (response) => response.writeHead(204).end()
    // Its claim is over, as it would be after 30 seconds; then the minute's sweep comes.
    await bank.sql('payments', `update web_hook_deliveries set claimed_at = now() - interval '31 seconds'`)
    await until(
      async () => {
        await bank.ping('sweep-payments')
        return (await deliveries(id))[0]?.status === 'delivered'
      },
      { everyMs: 500, what: 'the delivery' },
    )
    const [first, second] = receiver.received
    expect([second!.body, second!.headers['webhook-id']]).toEqual([first!.body, first!.headers['webhook-id']])
    expect(new Webhook(secret).verify(second!.body, second!.headers)).toMatchObject({ type: 'hold.placed' })
  })

  test('a hook that answers 410 is paused, and its owner is told', async () => {
    const { id } = await hookFor(['transaction.completed'])
    receiver.answer = (response) => response.writeHead(410).end()
    await ada.transact({ type: 'deposit', account_id: account, amount: '5.00' })
    const paused = await until(async () => {
      const { body } = await call('GET', `/${id}`)
      return body.status === 'paused' && body
    })
    expect(paused).toMatchObject({ paused_because: 'gone' })
    await until(async () => {
      const { body } = await bank.call('GET', '/api/notifications', { token: ada.token })
      const told = body.items as { event_type: string; subject: string }[]
      return told.some(({ event_type: type, subject }) => type === 'webhook.paused' && subject === id)
    })
  })
}
