import { randomUUID } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { accountFrozen } from '../../eventing/contracts/account.frozen.ts'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { documentDeleted } from '../../eventing/contracts/document.deleted.ts'
import { documentProcessed } from '../../eventing/contracts/document.processed.ts'
import { documentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import { feesChanged } from '../../eventing/contracts/fees.changed.ts'
import { holdPlaced } from '../../eventing/contracts/hold.placed.ts'
import { notificationStored } from '../../eventing/contracts/notification.stored.ts'
import { transactionCompleted } from '../../eventing/contracts/transaction.completed.ts'
import { passwordChanged } from '../../eventing/contracts/password.changed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { webhookPaused } from '../../eventing/contracts/webhook.paused.ts'
import type { Transaction } from '../host/database/database.ts'
import { createAjv } from '../host/http/compile-validators.ts'
import { contracts } from '../../tests/support/repository.ts'
import { WAITING_LOCKS, WAITING_STATEMENTS } from '../../tests/support/databases.ts'
import { token, type Answer } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import createWebHook from './create-web-hook.ts'
import deliverWebHooks from './deliver-web-hooks.ts'
import queueWebHooks from './queue-web-hooks.ts'
import rotateWebHookSecret from './rotate-web-hook-secret.ts'
import sweepPayments from './sweep-payments.ts'
import webHookDeliveries from './web-hook-deliveries.ts'
import webHooks from './web-hooks.ts'
import { offeredContracts } from './web-hooks/event-views.ts'
import { newUser, startHooksBank, startReceiver, type HooksBank } from './web-hooks/web-hooks-fixture.ts'
import type { Receiver } from './web-hooks/web-hooks-fixture.ts'

const operations = [
  createWebHook,
  webHooks,
  rotateWebHookSecret,
  webHookDeliveries,
  queueWebHooks,
  deliverWebHooks,
  sweepPayments,
] as const

let bank: HooksBank
let receiver: Receiver

beforeAll(async () => {
  bank = await startHooksBank(operations)
})
afterAll(() => bank.close())
beforeEach(async () => (receiver = await startReceiver()))
afterEach(() => receiver.close())

type User = Awaited<ReturnType<typeof newUser>>

const outcome = ({ status, body }: Answer): string =>
  `${status}${body?.type ? ` ${String(body.type).split('/').at(-1)}` : ''}`

/** Creates a hook that leads to the receiver. */
async function hookOf(
  user: User,
  types: string[] = ['transaction.completed'],
): Promise<{ id: string; secret: string }> {
  const { status, body } = await bank.create(user.token, { url: receiver.url, types })
  expect(status).toBe(201)
  return body
}

const deliveriesOf = async (user: User, hookId: string, query = '') =>
  (await bank.deliveries.request('GET', `/webhooks/${hookId}/deliveries${query}`, { token: user.token })).body
    .items as {
    id: string
    status: string
    attempts: number
    event_id: string
    last_attempt: object | null
  }[]

const get = (user: User, path = '') => bank.hooks.request('GET', `/webhooks${path}`, { token: user.token })
const patch = (user: User, id: string, body: object) =>
  bank.hooks.request('PATCH', `/webhooks/${id}`, { token: user.token, body })

/** Fails attempts until the hook is told not to be tried. */
const failTimes = async (hookId: string, times: number): Promise<void> => {
  receiver.answer = (response) => response.writeHead(500).end()
  for (let i = 0; i < times; i++) {
    await bank.hasten(hookId)
    expect((await bank.deliver(hookId)).status).toBe(204)
  }
}

describe('making and changing hooks', () => {
  test('a hook is shown to its owner and to operators, without its secret', async () => {
    const [ada, bob, operator] = [await newUser(), await newUser(), await newUser('operator')]
    const created = await bank.create(ada.token, { url: receiver.url, types: ['hold.placed'] })
    const { secret, ...shown } = created.body
    expect(secret).toMatch(/^whsec_/)
    expect(shown).toMatchObject({
      user_id: ada.id,
      url: receiver.url,
      types: ['hold.placed'],
      status: 'active',
    })
    expect((await get(ada, `/${shown.id}`)).body).toEqual(shown)
    expect((await get(ada)).body).toEqual({ items: [shown], next_cursor: null })
    expect((await get(operator, `?user_id=${ada.id}`)).body.items).toEqual([shown])
    expect((await get(bob)).body.items).toEqual([])
    const stored = await bank.owner.query({
      text: `select 1 from web_hooks where web_hooks::text like $1 union all select 1 from audit where audit::text like $1`,
      values: [`%${secret.slice(6)}%`],
    })
    expect(stored).toEqual([])
  })

  test('no route works without a token, and another’s hook does not exist', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    const [delivery] = await deliveriesOf(ada, id)
    const routes = [
      [bank.hooks, 'GET', `/webhooks/${id}`],
      [bank.hooks, 'PATCH', `/webhooks/${id}`, { status: 'paused' }],
      [bank.hooks, 'DELETE', `/webhooks/${id}`],
      [bank.rotating, 'POST', `/webhooks/${id}/secrets`],
      [bank.deliveries, 'GET', `/webhooks/${id}/deliveries`],
      [bank.deliveries, 'POST', `/webhooks/${id}/deliveries/${delivery!.id}/repeat`],
    ] as const
    for (const [target, method, path, body] of routes) {
      expect([path, outcome(await target.request(method, path, { body }))]).toEqual([
        path,
        '401 unauthenticated',
      ])
      const answer = await target.request(method, path, { body, token: bob.token })
      expect([path, outcome(answer)]).toEqual([path, '404 not-found'])
    }
    expect(outcome(await bank.create(''))).toBe('401 unauthenticated')
    expect((await get(ada, `/${id}`)).body.status).toBe('active')
    expect(await deliveriesOf(ada, id)).toEqual([delivery])
  })

  test('an operator can pause and delete another’s hook, but neither redirect it nor learn its secret', async () => {
    const [ada, operator] = [await newUser(), await newUser('operator')]
    const { id } = await hookOf(ada)
    expect((await patch(operator, id, { status: 'paused' })).body).toMatchObject({ paused_because: 'asked' })
    for (const body of [
      { status: 'active' },
      { url: 'https://evil.example' },
      { url: 'https://evil.example', status: 'paused' },
    ])
      expect(outcome(await patch(operator, id, body))).toBe('404 not-found')
    const rotated = await bank.rotating.request('POST', `/webhooks/${id}/secrets`, { token: operator.token })
    expect(outcome(rotated)).toBe('404 not-found')
    expect((await get(ada, `/${id}`)).body).toMatchObject({ url: receiver.url, status: 'paused' })
    const remove = { token: operator.token }
    expect((await bank.hooks.request('DELETE', `/webhooks/${id}`, remove)).status).toBe(204)
    expect(outcome(await get(ada, `/${id}`))).toBe('404 not-found')
    const text = 'select operation, owner_id, details from audit where subject = $1 order by id'
    expect(await bank.owner.query({ text, values: [id] })).toMatchObject([
      { operation: 'create-web-hook', owner_id: ada.id, details: { url: '(given)' } },
      { operation: 'web-hooks', owner_id: ada.id, details: { status: 'paused' } },
      { operation: 'web-hooks', owner_id: ada.id },
    ])
  })

  test('a repeated key makes one hook and gets the same secret, which is not stored with the key', async () => {
    const ada = await newUser()
    const key = randomUUID()
    const answers = await Promise.all(Array.from({ length: 8 }, () => bank.create(ada.token, {}, key)))
    const first = answers.find(({ status }) => status === 201)!
    for (const answer of answers)
      if (answer.status === 201) expect(answer.body).toEqual(first.body)
      else expect(outcome(answer)).toBe('409 idempotency-key-in-use')
    const again = await bank.create(ada.token, {}, key)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(outcome(await bank.create(ada.token, { types: ['hold.placed'] }, key))).toBe(
      '422 idempotency-key-reused',
    )
    expect((await get(ada)).body.items).toHaveLength(1)
    const text = `select from idempotency_keys where outcome::text like '%whsec%'`
    expect(await bank.owner.query({ text })).toEqual([])
  })

  test.each([
    ['a URL that is none', { url: 'not a url' }, '422 web-hook-url-refused'],
    ['a scheme that is not HTTP', { url: 'ftp://example.com/' }, '422 web-hook-url-refused'],
    ['a URL with a NUL', { url: 'http://example.com/\0' }, '422 web-hook-url-refused'],
    ['a URL with a line break', { url: 'http://exam\nple.com/' }, '422 web-hook-url-refused'],
    [
      'a URL that turns the direction of writing',
      { url: 'http://example.com/\u202e' },
      '422 web-hook-url-refused',
    ],
    ['a URL with half a surrogate pair', { url: 'http://example.com/\ud800' }, '422 web-hook-url-refused'],
    ['an empty URL', { url: '' }, '400 invalid-input'],
    ['a URL that is too long', { url: `https://example.com/${'a'.repeat(2000)}` }, '400 invalid-input'],
    ['a number for a URL', { url: 5 }, '400 invalid-input'],
    ['no type', { types: [] }, '400 invalid-input'],
    ['a type twice', { types: ['hold.placed', 'hold.placed'] }, '400 invalid-input'],
    ['an unknown type', { types: ['no.such'] }, '400 invalid-input'],
    ['a type of the bank’s own', { types: ['webhook.queued'] }, '400 invalid-input'],
    ['a type of operators', { types: ['fees.changed'] }, '400 invalid-input'],
    ['a secret of one’s own', { secret: 'mine' }, '400 invalid-input'],
    ['another owner', { user_id: randomUUID() }, '400 invalid-input'],
  ])('%s is refused, here and in a change', async (_what, body, refusal) => {
    const ada = await newUser()
    expect(outcome(await bank.create(ada.token, body))).toBe(refusal)
    expect((await get(ada)).body.items).toEqual([])
    const { id } = await hookOf(ada)
    expect(outcome(await patch(ada, id, body))).toBe(refusal)
    expect(outcome(await patch(ada, id, {}))).toBe('400 invalid-input')
    expect((await get(ada, `/${id}`)).body).toMatchObject({
      url: receiver.url,
      types: ['transaction.completed'],
    })
  })

  test('a user can have ten hooks, also if they ask for more at once', async () => {
    const ada = await newUser()
    const answers = await Promise.all(Array.from({ length: 12 }, () => bank.create(ada.token)))
    expect(answers.map(outcome).sort()).toEqual([
      ...Array.from({ length: 10 }, () => '201'),
      ...Array.from({ length: 2 }, () => '409 too-many-web-hooks'),
    ])
  })

  test('on a cluster only public https addresses are accepted', async () => {
    const strict = await startHooksBank(operations, { WEB_HOOK_PRIVATE_ADDRESSES: 'refused' })
    try {
      const ada = await newUser()
      for (const url of [
        receiver.url,
        'https://127.0.0.1/',
        'https://localhost/',
        'https://[::ffff:10.0.0.1]/',
      ])
        expect([url, outcome(await strict.create(ada.token, { url }))]).toEqual([
          url,
          '422 web-hook-url-refused',
        ])
      expect(outcome(await strict.create(ada.token, { url: 'https://hooks.example.com/' }))).toBe('201')
    } finally {
      await strict.close()
    }
  })
})

describe('who gets which event', () => {
  test('the types that are offered have contracts, and each is consumed with the key of its context', async () => {
    const known = new Map((await contracts()).map((contract) => [contract.type, contract]))
    for (const { type, context, version } of offeredContracts)
      expect(known.get(type)).toMatchObject({ type, context, version })
  })

  test('a customer’s hook gets the customer’s events of its types, and nobody else’s', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const { id } = await hookOf(ada)
    const other = await hookOf(ada, ['hold.placed'])
    const bobs = await hookOf(bob)
    expect((await bank.tell(transactionCompleted, { user_id: ada.id })).status).toBe(204)
    await bank.tell(accountFrozen, { user_id: ada.id })
    await bank.tell(feesChanged)
    expect(await deliveriesOf(ada, id)).toMatchObject([
      { event_type: 'transaction.completed', status: 'pending' },
    ])
    expect(await deliveriesOf(ada, other.id)).toEqual([])
    expect(await deliveriesOf(bob, bobs.id)).toEqual([])
  })

  test('of documents and notifications a customer learns what is theirs, and not what operators did', async () => {
    const [ada, bob, operator] = [await newUser(), await newUser(), await newUser('operator')]
    const told = [
      documentUploaded,
      documentProcessed,
      documentDeleted,
      notificationStored,
    ] as EventContract<object>[]
    const types = told.map(({ type }) => type)
    const hooks = [await hookOf(ada, types), await hookOf(bob, types)]
    for (const contract of told) await bank.tell(contract, { user_id: ada.id })
    await bank.tell(documentDeleted as EventContract<object>, { user_id: ada.id, deleted_by: operator.id })
    for (const { id } of hooks) await bank.deliver(id)
    const got = receiver.received.map(({ body }) => JSON.parse(body))
    expect(await deliveriesOf(bob, hooks[1]!.id)).toEqual([])
    expect(got.map(({ type }) => type).sort()).toEqual([...types, documentDeleted.type].sort())
    for (const { type, data } of got) {
      const { example } = told.find((contract) => contract.type === type)!
      expect(data).toEqual({
        ...example,
        user_id: ada.id,
        ...('deleted_by' in example && { deleted_by: null }),
      })
    }
  })

  test('an operator’s hook gets all events of its types, as they are', async () => {
    const operator = await newUser('operator')
    const { id } = await hookOf(operator, ['transaction.completed', 'fees.changed'])
    await bank.tell(transactionCompleted)
    await bank.tell(feesChanged)
    const bodies = await bodiesOf(id)
    expect(bodies.map(({ data }) => data)).toEqual([transactionCompleted.example, feesChanged.example])
    await bank.hooks.request('DELETE', `/webhooks/${id}`, { token: operator.token })
  })

  test('payer and payee of a transfer each see their own balance, and not the other’s', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const [adas, bobs] = [await hookOf(ada), await hookOf(bob)]
    const transfer = {
      ...{ transaction_type: 'transfer', user_id: ada.id, to_user_id: bob.id, to_account_id: randomUUID() },
      ...{ fee: '1.00', new_balance: '899.00', to_new_balance: '5.00' },
    }
    await bank.tell(transactionCompleted, transfer)
    const [payers] = await bodiesOf(adas.id)
    const [payees] = await bodiesOf(bobs.id)
    const all = { ...transactionCompleted.example, ...transfer }
    expect(payers).toEqual({
      type: 'transaction.completed',
      timestamp: '2026-01-05T09:30:00.000Z',
      data: { ...all, to_user_id: null, to_new_balance: null },
    })
    expect(payees!.data).toEqual({ ...all, user_id: null, new_balance: null, fee: null })
    // Between their own accounts a customer sees both.
    await bank.tell(transactionCompleted, { ...transfer, to_user_id: ada.id })
    expect((await bodiesOf(adas.id))[1]!.data).toEqual({ ...all, to_user_id: ada.id })
  })

  test('a customer is not told which operator did something, but that they did it themselves', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada, ['account.frozen', 'hold.placed'])
    await bank.tell(accountFrozen, { user_id: ada.id })
    await bank.tell(holdPlaced, { user_id: ada.id, placed_by: ada.id })
    const [frozen, placed] = await bodiesOf(id)
    expect(frozen!.data).toMatchObject({ reason: accountFrozen.example.reason, changed_by: null })
    expect(placed!.data).toMatchObject({ placed_by: ada.id })
  })

  const bodiesOf = async (hookId: string) => {
    const text = 'select body from web_hook_deliveries where web_hook_id = $1 order by id'
    const rows = await bank.db.query<{ body: string }>({ text, values: [hookId] })
    return rows.map(({ body }) => JSON.parse(body) as { type: string; timestamp: string; data: object })
  }

  test('an event that comes many times at once, and again later, is delivered once to each hook', async () => {
    const ada = await newUser()
    const [first, second] = [await hookOf(ada), await hookOf(ada)]
    const id = randomUUID()
    const tell = () => bank.tell(transactionCompleted, { user_id: ada.id }, { id })
    const answers = await Promise.all(Array.from({ length: 10 }, tell))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
    await tell()
    for (const hook of [first, second]) {
      expect(await deliveriesOf(ada, hook.id)).toMatchObject([{ event_id: id }])
      expect(await bank.events('webhook.queued', hook.id)).toEqual([{ web_hook_id: hook.id }])
    }
  })

  test('an event that its context has not signed, or of another version, goes to nobody', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    const data = { user_id: ada.id }
    expect((await bank.tell(transactionCompleted, data, { signedBy: 'identity' })).status).toBe(500)
    expect(
      (await bank.tell({ ...transactionCompleted, version: 2 } as EventContract<object>, data)).status,
    ).toBe(500)
    expect((await bank.tell(transactionCompleted, { user_id: 'ada' })).status).toBe(500)
    expect(await deliveriesOf(ada, id)).toEqual([])
  })

  test('the hooks of a user who leaves are deleted, and their token makes no new one', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    expect((await bank.tell(userDeleted, { user_id: ada.id })).status).toBe(204)
    expect(outcome(await get(ada, `/${id}`))).toBe('404 not-found')
    expect(outcome(await bank.create(ada.token))).toBe('403 customer-left')
  })

  test('what a customer who left has written about others is erased, also what was under way; the books stay', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    for (const { id } of [ada, bob])
      await bank.owner.query({
        text: `with payment as (
            insert into payments (user_id, account_id, amount, currency, description, payee_email, return_url,
              status, failure, expires_at, ended_at)
            values ($1, $1, 1, 'USD', 'rent', 'eve@example.com', 'https://eve.example', 'failed', 'x', now(), now()),
              ($1, $1, 2, 'USD', 'rent', 'eve@example.com', null, 'placing', null, now(), null)
          ), payout as (
            insert into payouts (user_id, account_id, currency, status, completed_at)
            values ($1, $1, 'USD', 'completed', now()) returning id
          ), item as (
            insert into payout_items (payout_id, number, email, amount, note, status, problem)
            select id, 1, 'eve@example.com', 3, 'for Eve', 'refused', 'x' from payout
          ), payment_order as (
            insert into payment_orders (user_id, account_id, to_account_id, amount, currency, description, run_at,
              missed_runs, status, next_number, next_due_at)
            values ($1, $1, $1, 4, 'USD', 'for Eve', now(), 'each', 'active', 2, now() + interval '1 day') returning id
          ), ended_order as (
            insert into payment_orders (user_id, account_id, to_account_id, amount, currency, payee_name, run_at,
              missed_runs, status)
            values ($1, $1, $1, 6, 'USD', 'Eve', now(), 'each', 'completed')
          ), run as (
            insert into payment_order_runs (order_id, number, due_at, account_id, to_account_id, amount, currency,
              description, status, ended_at)
            select id, 1, now(), $1, $1, 4, 'USD', 'for Eve', 'failed', now() from payment_order
          )
          insert into provider_transfers (kind, user_id, account_id, amount, currency, description, payee_name,
            payee_account, provider, status, failure, ended_at, dispute)
          values ('withdrawal', $1, $1, 5, 'USD', 'for Eve', 'Eve', 'DE89', 'sandbox', 'failed', 'x', now(),
            'settled-after-failed')`,
        values: [id],
      })
    const tables = [
      'payments',
      'payouts p join payout_items on payout_id = p.id',
      'payment_orders',
      'provider_transfers',
    ]
    const runs = 'payment_orders o join payment_order_runs r on r.order_id = o.id'
    /** The rows of a user, as text. */
    const rowsOf = async ({ id }: User) => {
      const all = await Promise.all(
        [...tables, runs].map((table) =>
          bank.owner.query<{ row: string }>({
            text: `select to_jsonb(t)::text as row from (select * from ${table} where user_id = $1 order by 1) t`,
            values: [id],
          }),
        ),
      )
      return all.flat().map(({ row }) => row)
    }
    const EVE = /Eve|eve@|eve\.|"rent"|DE89/
    const before = await rowsOf(bob)
    expect((await rowsOf(ada)).filter((row) => EVE.test(row))).toHaveLength(7)
    await bank.tell(userDeleted, { user_id: ada.id })
    await bank.sweep()
    const left = (await rowsOf(ada)).filter((row) => EVE.test(row))
    expect(left).toEqual([expect.stringContaining('"placing"'), expect.stringContaining('"DE89"')])
    await bank.owner.query({
      text: 'update provider_transfers set dispute = null where user_id = $1',
      values: [ada.id],
    })
    await bank.owner.query({
      text: `update payments set status = 'failed', failure = 'x', ended_at = now() where user_id = $1 and status = 'placing'`,
      values: [ada.id],
    })
    await bank.sweep()
    const after = await rowsOf(ada)
    expect(after.filter((row) => EVE.test(row))).toEqual([])
    expect(after.map((row) => Number(/"amount": (\d)/.exec(row)![1])).sort()).toEqual([1, 2, 3, 4, 4, 5, 6])
    expect(after.filter((row) => row.includes('"cancelled"'))).toHaveLength(1)
    expect(await rowsOf(bob)).toEqual(before)
    const open = {
      text: 'select from web_hook_owners where user_id = $1 and forgotten_at is null',
      values: [ada.id],
    }
    // With a token from before they may write some more.
    expect(await bank.db.query(open)).toHaveLength(1)
    await bank.owner.query({
      text: `update web_hook_owners set left_at = left_at - interval '1 hour' where user_id = $1`,
      values: [ada.id],
    })
    await bank.sweep()
    expect(await bank.db.query(open)).toEqual([])
    // Nothing else in a payment may change, even then.
    const change = {
      text: 'update payments set amount = 9, description = null where user_id = $1',
      values: [ada.id],
    }
    await expect(bank.owner.query(change)).rejects.toThrow()
  })

  test('erasing waits for an order before its runs, so that it deadlocks with nobody who changes both', async () => {
    const ada = await newUser()
    const [run] = await bank.owner.query<{ id: string; order_id: string }>({
      text: `with payment_order as (
          insert into payment_orders (user_id, account_id, to_account_id, amount, currency, run_at, missed_runs)
          values ($1, $1, $1, 1, 'USD', now(), 'each') returning id
        )
        insert into payment_order_runs (order_id, number, due_at, account_id, to_account_id, amount, currency)
        select id, 1, now(), $1, $1, 1, 'USD' from payment_order returning id, order_id`,
      values: [ada.id],
    })
    let forgetting: Promise<unknown> | undefined
    await bank.owner.transaction(async (tx) => {
      const lock = 'for update nowait'
      await tx.query({ text: `select from payment_orders where id = $1 ${lock}`, values: [run!.order_id] })
      forgetting = bank.owner.query({ text: 'select forget_customer($1, 9)', values: [ada.id] })
      const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%forget_customer%'`
      await until(async () => {
        await tx.query({ text: 'select pg_stat_clear_snapshot()' })
        return (await tx.query({ text: waits })).length > 0
      })
      await tx.query({ text: `select from payment_order_runs where id = $1 ${lock}`, values: [run!.id] })
    })
    await forgetting
    const status = { text: 'select status from payment_order_runs where id = $1', values: [run!.id] }
    expect(await bank.db.query(status)).toEqual([{ status: 'skipped' }])
  })

  test('the hooks and orders of somebody who registered with another’s address are paused, and stay so for them', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada, ['password.changed', 'transaction.completed'])
    await bank.owner.query({
      text: `insert into payment_orders (user_id, account_id, to_account_id, amount, currency, run_at, missed_runs)
        values ($1, $1, $1, 1, 'USD', now(), 'each')`,
      values: [ada.id],
    })
    const orders = async () =>
      (
        await bank.db.query<{ status: string }>({
          text: 'select status from payment_orders where user_id = $1',
          values: [ada.id],
        })
      ).map(({ status }) => status)
    // The next second: tokens have whole ones.
    const change = {
      user_id: ada.id,
      changed_at: new Date(Math.ceil(Date.now() / 1000) * 1000).toISOString(),
    }
    // A forgotten password ends no hook.
    await bank.tell(passwordChanged, { ...change, by_new_owner: false })
    expect([(await get(ada, `/${id}`)).body.status, await orders()]).toEqual(['active', ['active']])
    const event = randomUUID()
    const tell = () => bank.tell(passwordChanged, { ...change, by_new_owner: true }, { id: event })
    expect((await tell()).status).toBe(204)
    expect((await get(ada, `/${id}`)).body).toMatchObject({ status: 'paused', paused_because: 'new-owner' })
    expect(await orders()).toEqual(['paused'])
    // They were told of neither.
    expect((await deliveriesOf(ada, id)).map(({ event_id: told }) => told)).not.toContain(event)

    // The token from before is still valid.
    for (const answer of [
      await patch(ada, id, { status: 'active' }),
      await bank.rotating.request('POST', `/webhooks/${id}/secrets`, { token: ada.token }),
      await bank.create(ada.token),
    ])
      expect(outcome(answer)).toBe('401 unauthenticated')
    await until(() => Date.now() > Date.parse(change.changed_at))
    const owner = { ...ada, token: await token({ userId: ada.id }) }
    expect((await patch(owner, id, { status: 'active' })).status).toBe(200)
    await tell()
    expect((await get(owner, `/${id}`)).body.status).toBe('active')
  })

  test('a hook that is made with an earlier token before the new owner is known here is paused then', async () => {
    const ada = await newUser()
    // Tokens have whole seconds.
    const changedAt = new Date((Math.floor(Date.now() / 1000) + 1) * 1000).toISOString()
    await until(() => Date.now() > Date.parse(changedAt))
    const owner = { ...ada, token: await token({ userId: ada.id }) }
    const [earlier, later] = [await hookOf(ada), await hookOf(owner)]
    const change = { user_id: ada.id, changed_at: changedAt, by_new_owner: true }
    expect((await bank.tell(passwordChanged, change)).status).toBe(204)
    const statusOf = async (id: string) => (await get(owner, `/${id}`)).body.status as string
    expect([await statusOf(earlier.id), await statusOf(later.id)]).toEqual(['paused', 'active'])
  })
})

describe('the ledger offers events of postings and holds for whom it watches', () => {
  const WATCHED = ['transaction.completed', 'hold.placed', 'account.opened']
  const UNWATCHED = ['account.opened', 'payment.executed']

  const watchOf = async ({ id }: User) => {
    const text = 'select version, sees_all from posting_watches where user_id = $1'
    return (await bank.ledger.db.query<{ version: bigint; sees_all: boolean }>({ text, values: [id] }))[0]
  }
  const ownerOf = async ({ id }: User) => {
    const text = 'select is_watched, watch_version, watch_ending from web_hook_owners where user_id = $1'
    return (await bank.db.query({ text, values: [id] }))[0]
  }
  /** Sets back when owners were told of, as if that much time had passed. */
  const age = (by: string, user?: User) =>
    bank.owner.query({
      text: `update web_hook_owners set watched_at = watched_at - interval '${by}' where user_id = $1 or $1 is null`,
      values: [user?.id ?? null],
    })
  // A sweep has some seconds, which others' watches could use up.
  beforeEach(() => bank.owner.query({ text: 'truncate web_hook_owners, web_hooks cascade' }))
  const sweepLater = async () => {
    await age('3 minutes')
    await bank.sweep()
  }
  const remove = async (user: User, id: string) =>
    expect((await bank.hooks.request('DELETE', `/webhooks/${id}`, { token: user.token })).status).toBe(204)
  const calls = () => bank.gateway.count('watch-postings')
  afterEach(() => void (bank.gateway.passage = () => 'pass'))

  test('before a hook for such events is stored, and not for others', async () => {
    const [ada, operator] = [await newUser(), await newUser('operator')]
    const before = calls()
    await hookOf(ada, UNWATCHED)
    expect([calls() - before, await watchOf(ada)]).toEqual([0, undefined])
    await hookOf(ada, WATCHED)
    await hookOf(ada, ['transaction.reversed'])
    expect(await watchOf(ada)).toEqual({ version: 2n, sees_all: false })
    const { id } = await hookOf(operator, ['transaction.rejected', 'fees.changed'])
    expect(await watchOf(operator)).toEqual({ version: 1n, sees_all: true })
    await remove(operator, id)
  })

  test('before a change makes a hook want such events', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada, UNWATCHED)
    const before = calls()
    expect((await patch(ada, id, { status: 'paused' })).status).toBe(200)
    expect((await patch(ada, id, { types: WATCHED })).status).toBe(200)
    expect([calls() - before, await watchOf(ada)]).toEqual([0, undefined])
    expect((await patch(ada, id, { status: 'active' })).status).toBe(200)
    expect(await watchOf(ada)).toMatchObject({ version: 1n })
    // It has a watch, and needs no other.
    for (const body of [{ url: `${receiver.url}/2` }, { types: ['hold.expired'] }, { status: 'active' }])
      expect((await patch(ada, id, body)).status).toBe(200)
    expect((await patch(ada, id, { types: UNWATCHED })).status).toBe(200)
    expect(calls() - before).toBe(1)
    expect((await patch(ada, id, { types: WATCHED })).status).toBe(200)
    expect(await watchOf(ada)).toMatchObject({ version: 2n })
    expect(outcome(await patch(await newUser(), id, { types: WATCHED }))).toBe('404 not-found')
    expect(calls() - before).toBe(2)
  })

  test('and if it can’t be told, nothing is stored or changed', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada, UNWATCHED)
    const key = randomUUID()
    bank.gateway.passage = () => 'lose-request'
    expect(outcome(await bank.create(ada.token, {}, key))).toBe('503 unavailable')
    expect(outcome(await patch(ada, id, { types: WATCHED }))).toBe('503 unavailable')
    bank.gateway.passage = () => (answer) => ({ status: 200, body: { ...answer.body, version: 0 } })
    expect(outcome(await bank.create(ada.token, {}, key))).toBe('503 unavailable')
    expect((await get(ada)).body.items).toMatchObject([{ id, types: UNWATCHED }])
    bank.gateway.passage = () => 'pass'
    expect((await bank.create(ada.token, {}, key)).status).toBe(201)
    expect((await patch(ada, id, { types: WATCHED })).status).toBe(200)
  })

  test('a repeated request gets its answer without a watch', async () => {
    const ada = await newUser()
    const [making, changing] = [randomUUID(), randomUUID()]
    const made = await bank.create(ada.token, {}, making)
    const { id } = made.body
    const resume = () =>
      bank.hooks.request('PATCH', `/webhooks/${id}`, {
        ...{ token: ada.token, body: { status: 'active' } },
        headers: { 'idempotency-key': changing },
      })
    await patch(ada, id, { status: 'paused' })
    const resumed = await resume()
    await patch(ada, id, { status: 'paused' })
    const before = calls()
    bank.gateway.passage = () => 'lose-request'
    const repeated = [await bank.create(ada.token, {}, making), await resume()]
    expect(repeated.map(({ status, body }) => [status, body])).toEqual([
      [201, made.body],
      [200, resumed.body],
    ])
    expect(calls()).toBe(before)
  })

  test('until some time after the last hook that wants them has gone', async () => {
    const users = [await newUser(), await newUser(), await newUser(), await newUser('operator')] as const
    const [removing, pausing, changing, operator] = users
    const hooks = await Promise.all(users.map((user) => hookOf(user, WATCHED)))
    const other = await hookOf(removing, ['hold.expired'])
    await sweepLater()
    for (const user of users) expect(await watchOf(user)).toBeDefined()
    await remove(removing, hooks[0]!.id)
    await patch(pausing, hooks[1]!.id, { status: 'paused' })
    await patch(changing, hooks[2]!.id, { types: UNWATCHED })
    await remove(operator, hooks[3]!.id)
    await age('-3 minutes')
    await bank.sweep()
    for (const user of users) expect(await watchOf(user)).toBeDefined()
    await sweepLater()
    expect(await Promise.all(users.map(watchOf))).toEqual([
      { version: 2n, sees_all: false },
      ...[undefined, undefined, undefined],
    ])
    await remove(removing, other.id)
    await sweepLater()
    expect(await watchOf(removing)).toBeUndefined()
    expect(await ownerOf(removing)).toEqual({ is_watched: false, watch_version: 2n, watch_ending: 2n })
    const before = calls()
    await sweepLater()
    expect(calls()).toBe(before)
  })

  test('also until a user has left', async () => {
    const ada = await newUser()
    await hookOf(ada, WATCHED)
    await bank.tell(userDeleted, { user_id: ada.id })
    await sweepLater()
    expect(await watchOf(ada)).toBeUndefined()
  })

  test('a hook whose making died after the ledger was told leaves nothing behind', async () => {
    const ada = await newUser()
    bank.gateway.passage = () => 'lose-answer'
    expect(outcome(await bank.create(ada.token))).toBe('503 unavailable')
    expect(await watchOf(ada)).toBeDefined()
    // The sweep can’t tell the ledger either, and goes on with what else is due.
    await sweepLater()
    expect(await ownerOf(ada)).toMatchObject({ is_watched: true })
    bank.gateway.passage = () => 'pass'
    await sweepLater()
    expect([await watchOf(ada), await ownerOf(ada)]).toMatchObject([undefined, { is_watched: false }])
    await hookOf(ada, WATCHED)
    expect(await watchOf(ada)).toEqual({ version: 2n, sees_all: false })
  })

  test('a hook is not stored if a sweep is ending its watch', async () => {
    const ada = await newUser()
    let making: Promise<Answer> | undefined
    let sweeping: Promise<Answer> | undefined
    await bank.ledger.owner.transaction(async (tx) => {
      await tx.query({ text: 'lock table posting_watches in share mode' })
      making = bank.create(ada.token)
      await until(async () => (await bank.ledger.owner.query({ text: WAITING_STATEMENTS })).length === 1)
      await age('3 minutes', ada)
      sweeping = bank.sweep()
      await until(async () => (await bank.ledger.owner.query({ text: WAITING_STATEMENTS })).length >= 2)
      expect(await ownerOf(ada)).toMatchObject({ watch_ending: 1n })
    })
    expect(outcome(await making!)).toBe('503 unavailable')
    await sweeping
    expect((await get(ada)).body.items).toEqual([])
    // Whichever of the two the ledger had first.
    await endsLater(ada)
  })

  /** Expects that the next sweep ends a watch, and that a later hook gets another. */
  async function endsLater(user: User): Promise<void> {
    await sweepLater()
    expect([await watchOf(user), await ownerOf(user)]).toMatchObject([
      undefined,
      { is_watched: false, watch_version: 2n },
    ])
    await hookOf(user, WATCHED)
    expect(await watchOf(user)).toEqual({ version: 3n, sees_all: false })
  }

  test('a watch that begins after it was ended is ended again', async () => {
    const ada = await newUser()
    let arrive = () => {}
    const after = new Promise<void>((resolve) => (arrive = resolve))
    bank.gateway.passage = (_, key) => (key === 'watch-1' ? { after } : 'pass')
    const making = bank.create(ada.token)
    await until(async () => (await ownerOf(ada)) !== undefined)
    await sweepLater()
    expect(await ownerOf(ada)).toEqual({ is_watched: false, watch_version: 1n, watch_ending: 1n })
    arrive()
    expect(outcome(await making)).toBe('503 unavailable')
    expect(await watchOf(ada)).toBeDefined()
    await endsLater(ada)
  })

  /** Lets a sweep begin to end a user's watch while another database transaction has the row of its owner
   * locked. Then that one runs `text`, a statement with the user as $1, and commits. */
  async function sweepDuring(user: User, text: string, more: unknown[] = []): Promise<void> {
    const { id } = await hookOf(user, WATCHED)
    await remove(user, id)
    await age('3 minutes', user)
    let sweeping: Promise<Answer> | undefined
    await bank.owner.transaction(async (tx) => {
      await tx.query({
        text: 'select from web_hook_owners where user_id = $1 for no key update',
        values: [user.id],
      })
      sweeping = bank.sweep()
      await until(async () => (await bank.owner.query({ text: WAITING_STATEMENTS })).length === 1)
      await tx.query({ text, values: [user.id, ...more] })
    })
    await sweeping
  }

  test('a sweep that waits for a hook to be stored ends no watch', async () => {
    const ada = await newUser()
    await sweepDuring(
      ada,
      `insert into web_hooks (user_id, is_operators, url, types) values ($1, false, $2, $3)`,
      [receiver.url, WATCHED],
    )
    expect([await watchOf(ada), await ownerOf(ada)]).toMatchObject([{ version: 1n }, { watch_ending: 0n }])
  })

  test('nor does one that waits for a watch to begin', async () => {
    const ada = await newUser()
    await sweepDuring(
      ada,
      `update web_hook_owners set watch_version = watch_version + 1, watched_at = clock_timestamp()
        where user_id = $1`,
    )
    expect(await ownerOf(ada)).toEqual({ is_watched: true, watch_version: 2n, watch_ending: 0n })
  })

  test('a hook is not resumed without a watch if its types change in that moment', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada, UNWATCHED)
    await patch(ada, id, { status: 'paused' })
    let resuming: Promise<Answer> | undefined
    await bank.owner.transaction(async (tx) => {
      await tx.query({ text: 'update web_hooks set types = $2 where id = $1', values: [id, WATCHED] })
      resuming = patch(ada, id, { status: 'active' })
      await until(async () => (await bank.owner.query({ text: WAITING_STATEMENTS })).length === 1)
    })
    expect(outcome(await resuming!)).toBe('503 unavailable')
    expect((await get(ada, `/${id}`)).body).toMatchObject({ status: 'paused', types: WATCHED })
    expect((await patch(ada, id, { status: 'active' })).status).toBe(200)
    expect(await watchOf(ada)).toBeDefined()
  })

  test('after the ledger’s database was restored, the watches that it has lost come back', async () => {
    const [ada, operator, gone] = [await newUser(), await newUser('operator'), await newUser()]
    await hookOf(ada, WATCHED)
    const { id } = await hookOf(operator, WATCHED)
    await remove(gone, (await hookOf(gone, WATCHED)).id)
    await bank.ledger.db.query({ text: 'delete from posting_watches' })
    await age('50 minutes')
    await bank.sweep()
    expect(await watchOf(ada)).toBeUndefined()
    await age('20 minutes')
    await bank.sweep()
    expect([await watchOf(ada), await watchOf(operator), await watchOf(gone)]).toEqual([
      { version: 1n, sees_all: false },
      { version: 1n, sees_all: true },
      undefined,
    ])
    const before = calls()
    await bank.sweep()
    expect(calls()).toBe(before)
    await remove(operator, id)
  })

  test('also if there is one that can’t be ended', async () => {
    const [ada, gone] = [await newUser(), await newUser()]
    await hookOf(ada, WATCHED)
    await remove(gone, (await hookOf(gone, WATCHED)).id)
    await bank.ledger.db.query({ text: 'delete from posting_watches where user_id = $1', values: [ada.id] })
    bank.gateway.passage = (_service, key) =>
      key.startsWith('end-watch') ? (answer) => ({ ...answer, body: {} }) : 'pass'
    await age('61 minutes')
    await bank.sweep()
    expect([await watchOf(ada), await ownerOf(gone)]).toMatchObject([{ version: 1n }, { is_watched: true }])
  })

  test('and those that it has got back end within a day', async () => {
    const gone = await newUser()
    await remove(gone, (await hookOf(gone, WATCHED)).id)
    await sweepLater()
    expect(await watchOf(gone)).toBeUndefined()
    await bank.ledger.db.query({
      text: 'insert into posting_watches (user_id, version, sees_all) values ($1, 1, false)',
      values: [gone.id],
    })
    await age('23 hours', gone)
    await bank.sweep()
    expect(await watchOf(gone)).toBeDefined()
    await age('1 hour', gone)
    await bank.sweep()
    expect(await watchOf(gone)).toBeUndefined()
    const before = calls()
    await bank.sweep()
    expect(calls()).toBe(before)
    // One that somebody has begun since does not end.
    await hookOf(gone, WATCHED)
    await age('2 days', gone)
    await bank.sweep()
    expect(await watchOf(gone)).toEqual({ version: 2n, sees_all: false })
  })

  test('after payments’ own was restored, versions go on from those that the ledger has', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const [, bobs] = [await hookOf(ada, WATCHED), await hookOf(bob, WATCHED)]
    await bank.ledger.db.query({ text: 'update posting_watches set version = 50' })
    await hookOf(ada, WATCHED)
    expect([await ownerOf(ada), await watchOf(ada)]).toMatchObject([{ watch_version: 50n }, { version: 50n }])
    await remove(bob, bobs.id)
    await sweepLater()
    expect(await ownerOf(bob)).toEqual({ is_watched: true, watch_version: 50n, watch_ending: 1n })
    await sweepLater()
    expect(await watchOf(bob)).toBeUndefined()
  })
})

describe('posting', () => {
  test('what arrives is verified by the published library, and is in the log', async () => {
    const ada = await newUser()
    const { id, secret } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    expect((await bank.deliver(id)).status).toBe(204)
    const [got] = receiver.received
    const message = new Webhook(secret).verify(got!.body, got!.headers)
    expect(message).toMatchObject({ type: 'transaction.completed', data: { user_id: ada.id } })
    const [delivery] = await deliveriesOf(ada, id)
    expect(got!.headers['webhook-id']).toBe(delivery!.id)
    expect(delivery).toMatchObject({
      status: 'delivered',
      attempts: 1,
      next_attempt_at: null,
      last_attempt: { http_status: 204, error: null, answer: '', duration_ms: expect.any(Number) },
    })
    // Nothing is due any more, whoever asks.
    await bank.deliver(id)
    await bank.deliver(randomUUID())
    expect(receiver.received).toHaveLength(1)
  })

  test('a new secret is valid beside the old one for a day', async () => {
    const ada = await newUser()
    const { id, secret: older } = await hookOf(ada)
    const key = { 'idempotency-key': randomUUID() }
    const rotate = () =>
      bank.rotating.request('POST', `/webhooks/${id}/secrets`, { token: ada.token, headers: key })
    const rotated = await rotate()
    expect(rotated.status).toBe(201)
    expect((await rotate()).body).toEqual(rotated.body)
    const { secret: newer, previous_secret_until: until } = rotated.body
    expect(Date.parse(until) - Date.now()).toBeGreaterThan(23 * 3600_000)
    expect(newer).not.toBe(older)
    const sendOne = async () => {
      await bank.tell(transactionCompleted, { user_id: ada.id })
      await bank.deliver(id)
      const { body, headers } = receiver.received.at(-1)!
      return [older, newer].map((secret) => {
        try {
          return Boolean(new Webhook(secret).verify(body, headers))
        } catch {
          return false
        }
      })
    }
    expect(await sendOne()).toEqual([true, true])
    await bank.owner.query({
      text: 'update web_hooks set previous_secret_until = now() where id = $1',
      values: [id],
    })
    expect(await sendOne()).toEqual([false, true])
    expect((await get(ada, `/${id}`)).body.previous_secret_until).toBeNull()
  })

  test('what fails is attempted again when its time comes, with the same id and bytes', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    receiver.answer = (response) => response.writeHead(503).end('later')
    await bank.deliver(id)
    const [failed] = await deliveriesOf(ada, id)
    expect(failed).toMatchObject({
      status: 'pending',
      attempts: 1,
      last_attempt: { http_status: 503, error: 'it answered 503', answer: 'later' },
    })
    // Not before its time, and the sweep wakes nobody.
    await bank.deliver(id)
    await bank.sweep()
    expect(receiver.received).toHaveLength(1)
    expect(await bank.events('webhook.queued', id)).toHaveLength(1)
    await bank.hasten(id)
    await bank.sweep()
    expect(await bank.events('webhook.queued', id)).toHaveLength(2)
    receiver.answer = (response) => response.writeHead(200).end()
    await bank.deliver(id)
    const [first, second] = receiver.received
    expect([second!.body, second!.headers['webhook-id']]).toEqual([first!.body, first!.headers['webhook-id']])
    expect(await deliveriesOf(ada, id)).toMatchObject([{ status: 'delivered', attempts: 2 }])
  })

  test('after the last attempt a delivery is failed, until somebody repeats it', async () => {
    const [ada, operator] = [await newUser(), await newUser('operator')]
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    await failTimes(id, 12)
    const [failed] = await deliveriesOf(ada, id, '?status=failed')
    expect([failed!.attempts, receiver.received.length]).toEqual([11, 11])
    receiver.answer = (response) => response.writeHead(200).end()
    const path = `/webhooks/${id}/deliveries/${failed!.id}/repeat`
    const headers = { 'idempotency-key': randomUUID() }
    const repeat = () => bank.deliveries.request('POST', path, { token: operator.token, headers })
    expect(await repeat()).toMatchObject({ status: 202, body: { status: 'pending', attempts: 0 } })
    expect((await repeat()).headers.get('idempotency-replayed')).toBe('true')
    await bank.owner.query({ text: 'update web_hooks set blocked_until = null where id = $1', values: [id] })
    await bank.deliver(id)
    expect(await deliveriesOf(ada, id)).toMatchObject([{ status: 'delivered', attempts: 1 }])
    expect(new Set(receiver.received.map(({ headers: sent }) => sent['webhook-id'])).size).toBe(1)
    const unknown = path.replace(failed!.id, randomUUID())
    expect(outcome(await bank.deliveries.request('POST', unknown, { token: ada.token }))).toBe(
      '404 not-found',
    )
  })

  test('at most four at a time go to one hook, and a hook that hangs holds up no other', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const { id } = await hookOf(ada)
    const bobs = await hookOf(bob)
    for (let i = 0; i < 9; i++) await bank.tell(transactionCompleted, { user_id: ada.id })
    await bank.tell(transactionCompleted, { user_id: bob.id })
    let [open, most] = [0, 0]
    const waiting: (() => void)[] = []
    receiver.answer = (response, { body }) => {
      if (body.includes(bob.id)) return void response.writeHead(204).end()
      most = Math.max(most, ++open)
      waiting.push(() => {
        open--
        response.writeHead(204).end()
      })
    }
    const asked = Array.from({ length: 5 }, () => bank.deliver(id))
    await until(() => open === 4)
    // Its other events found no place, and are answered while the four hang.
    expect((await bank.deliver(id)).status).toBe(204)
    await bank.deliver(bobs.id)
    expect(await deliveriesOf(bob, bobs.id)).toMatchObject([{ status: 'delivered' }])
    receiver.answer = (response) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        response.writeHead(204).end()
      })
    }
    for (const finish of waiting) finish()
    await Promise.all(asked)
    await bank.hasten(id)
    await bank.deliver(id)
    expect(most).toBe(4)
    expect(await deliveriesOf(ada, id, '?status=delivered')).toHaveLength(9)
  })

  test('a hook that fails five times in a row gets one attempt, and then a pause', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    for (let i = 0; i < 8; i++) await bank.tell(transactionCompleted, { user_id: ada.id })
    receiver.answer = (response) => response.writeHead(500).end()
    await bank.deliver(id)
    // Four at once, and the next four, because nobody knew yet.
    const tried = receiver.received.length
    expect(tried).toBe(8)
    await bank.owner.query({
      text: 'update web_hook_deliveries set next_attempt_at = now() where web_hook_id = $1',
      values: [id],
    })
    await bank.deliver(id)
    await bank.sweep()
    expect(receiver.received).toHaveLength(tried)
    expect(await bank.events('webhook.queued', id)).toHaveLength(8)
    await bank.hasten(id)
    await bank.deliver(id)
    expect(receiver.received).toHaveLength(tried + 1)
    // One success ends it.
    receiver.answer = (response) => response.writeHead(200).end()
    await bank.hasten(id)
    await bank.deliver(id)
    expect(await deliveriesOf(ada, id, '?status=delivered')).toHaveLength(8)
  })

  test('410 pauses a hook at once, and its owner is told; resumed, it gets what waits', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    receiver.answer = (response) => response.writeHead(410).end()
    await bank.deliver(id)
    expect((await get(ada, `/${id}`)).body).toMatchObject({ status: 'paused', paused_because: 'gone' })
    const [told, ...more] = await bank.events('webhook.paused', id)
    expect([told, more]).toMatchObject([
      { user_id: ada.id, host: new URL(receiver.url).host, reason: 'gone' },
      [],
    ])
    expect(createAjv('body').validate(webhookPaused.schema, told)).toBe(true)
    // A paused hook gets nothing, and nothing new is kept for it.
    await bank.hasten(id)
    await bank.deliver(id)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    expect(receiver.received).toHaveLength(1)
    receiver.answer = (response) => response.writeHead(204).end()
    expect((await patch(ada, id, { status: 'active' })).body).toMatchObject({ paused_because: null })
    await bank.deliver(id)
    expect(await deliveriesOf(ada, id)).toMatchObject([{ status: 'delivered', attempts: 2 }])
  })

  test('a hook that nothing has reached for three days is paused', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    await failTimes(id, 9)
    await bank.owner.query({
      text: `update web_hooks set failing_since = now() - interval '73 hours' where id = $1`,
      values: [id],
    })
    expect((await get(ada, `/${id}`)).body.status).toBe('active')
    await failTimes(id, 1)
    expect((await get(ada, `/${id}`)).body).toMatchObject({ status: 'paused', paused_because: 'failing' })
    expect(await bank.events('webhook.paused', id)).toMatchObject([{ reason: 'failing' }])
  })

  test('a delivery whose process died is attempted again when its claim is over', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    // As a process leaves it that dies in the middle of an attempt.
    const claim = { text: 'select id from claim_web_hook_deliveries($1, 4)', values: [id] }
    expect(await bank.db.query(claim)).toHaveLength(1)
    await bank.deliver(id)
    await bank.sweep()
    expect(receiver.received).toEqual([])
    expect(await bank.events('webhook.queued', id)).toHaveLength(1)
    const age = `update web_hook_deliveries set claimed_at = now() - interval '31 seconds' where web_hook_id = $1`
    await bank.owner.query({ text: age, values: [id] })
    await bank.sweep()
    expect(await bank.events('webhook.queued', id)).toHaveLength(2)
    await bank.deliver(id)
    expect(await deliveriesOf(ada, id)).toMatchObject([{ status: 'delivered', attempts: 2 }])
  })

  test('a claim from the future, after the clock was set back, is over', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    const text = `update web_hook_deliveries set claimed_at = now() + interval '2 hours',
      attempted_at = now() + interval '2 hours', next_attempt_at = now() + interval '3 hours' where web_hook_id = $1`
    await bank.owner.query({ text, values: [id] })
    await bank.deliver(id)
    expect(await deliveriesOf(ada, id)).toMatchObject([{ status: 'delivered' }])
  })

  test('a hook that is deleted during an attempt is gone, and nothing breaks', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await bank.tell(transactionCompleted, { user_id: ada.id })
    let finish: (() => void) | undefined
    receiver.answer = (response) => (finish = () => response.writeHead(500).end())
    const delivering = bank.deliver(id)
    await until(() => finish)
    expect((await bank.hooks.request('DELETE', `/webhooks/${id}`, { token: ada.token })).status).toBe(204)
    finish!()
    expect((await delivering).status).toBe(204)
  })

  test('deliveries are deleted after 30 days', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    for (let i = 0; i < 2; i++) await bank.tell(transactionCompleted, { user_id: ada.id })
    const [, old] = await deliveriesOf(ada, id)
    const text = `update web_hook_deliveries set created_at = now() - interval '31 days' where id = $1`
    await bank.owner.query({ text, values: [old!.id] })
    await bank.sweep()
    expect((await deliveriesOf(ada, id)).map((one) => one.id)).not.toContain(old!.id)
    expect(await deliveriesOf(ada, id)).toHaveLength(1)
  })
  test('what is old is deleted in one sweep, however much it is', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await addDeliveries(id, 5_001, { created_at: `now() - interval '31 days'` })
    await bank.sweep()
    expect(await deliveriesOf(ada, id)).toEqual([])
  })

  test('the deliveries of a deleted hook are deleted in one sweep, and then nothing is left of it', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await addDeliveries(id, 5_001)
    expect((await bank.hooks.request('DELETE', `/webhooks/${id}`, { token: ada.token })).status).toBe(204)
    const left = async (table: string) =>
      (await bank.owner.query({ text: `select from ${table} where web_hook_id = $1`, values: [id] })).length
    await bank.sweep()
    // A transaction that began before may still store one.
    expect([await left('web_hook_deliveries'), await left('web_hooks_deleted')]).toEqual([0, 1])
    await addDeliveries(id, 1)
    await bank.owner.query({
      text: `update web_hooks_deleted set deleted_at = now() - interval '61 minutes' where web_hook_id = $1`,
      values: [id],
    })
    await bank.sweep()
    expect([await left('web_hook_deliveries'), await left('web_hooks_deleted')]).toEqual([0, 0])
  })

  test('deliveries that wait for a later time cost a claim nothing', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await addDeliveries(id, 2_000, { next_attempt_at: `now() + interval '1 hour'` })
    await addDeliveries(id, 1)
    const claim = { text: 'select id from claim_web_hook_deliveries($1, 4)', values: [id] }
    await bank.owner.transaction(async (tx) => {
      expect(await rowsRead(tx, async () => expect(await tx.query(claim)).toHaveLength(1))).toBeLessThan(100)
    })
  })

  test('the hooks of one customer share eight places, and each has one at least', async () => {
    const ada = await newUser()
    const claimed: number[] = []
    for (let i = 0; i < 4; i++) {
      const { id } = await hookOf(ada)
      await addDeliveries(id, 9)
      const text = 'select id from claim_web_hook_deliveries($1, 4)'
      for (let again = 0; again < 2; again++)
        claimed.push((await bank.db.query({ text, values: [id] })).length)
    }
    expect(claimed).toEqual([4, 0, 4, 0, 1, 0, 1, 0])
  })

  async function claim(hookId: string): Promise<number> {
    const text = 'select id from claim_web_hook_deliveries($1, 4)'
    return (await bank.db.query({ text, values: [hookId] })).length
  }

  /** Hooks of one customer each, with two deliveries each. Answers their ids. */
  async function slowHooks(count: number): Promise<string[]> {
    const hooks = await bank.owner.query<{ id: string }>({
      text: `with owners as (insert into web_hook_owners select uuidv7() from generate_series(1, $1) returning user_id)
        insert into web_hooks (user_id, is_operators, url, types, slow_until)
        select user_id, false, 'http://127.0.0.1:9/', '{}', now() + interval '9 minutes' from owners returning id`,
      values: [count],
    })
    for (const { id } of hooks) await addDeliveries(id, 2)
    return hooks.map(({ id }) => id)
  }

  async function deleteHooks(ids: string[]): Promise<void> {
    await bank.owner.query({ text: 'delete from web_hooks where id = any ($1)', values: [ids] })
  }

  test('slow hooks have one place each, and leave places for the others, whoever they belong to', async () => {
    const [ada, bob] = [await newUser(), await newUser()]
    const { id } = await hookOf(ada)
    await addDeliveries(id, 1)
    receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 2_100)
    await bank.deliver(id)
    await addDeliveries(id, 9)
    expect([await claim(id), await claim(id)]).toEqual([1, 0])

    const slow = await slowHooks(20)
    const claimed = await Promise.all(slow.map(claim))
    expect(claimed.reduce((sum, count) => sum + count)).toBe(19)
    const bobs = await hookOf(bob)
    await addDeliveries(bobs.id, 9)
    expect(await claim(bobs.id)).toBe(4)
    // It was slow some time ago, or before the clock was set back.
    for (const [n, until] of ['now()', `now() + interval '1 day'`].entries()) {
      const text = `update web_hooks set slow_until = ${until} where id = $1`
      await bank.owner.query({ text, values: [id] })
      expect([n, await claim(id)]).toEqual([n, n === 0 ? 3 : 4])
      await bank.hasten(id)
    }
    await deleteHooks(slow)
  })

  test('a claim for a slow hook counts those that were made while it waited for them', async () => {
    const slow = await slowHooks(21)
    const [last] = slow
    let late: Promise<number> | undefined
    await bank.owner.transaction(async (tx) => {
      await tx.query({ text: 'select pg_advisory_xact_lock(6927004)' })
      late = claim(last!)
      await until(async () => (await bank.owner.query({ text: WAITING_LOCKS })).length > 0)
      await tx.query({
        text: `update web_hook_deliveries set claimed_at = clock_timestamp()
          where id in (select distinct on (web_hook_id) id from web_hook_deliveries
            where web_hook_id = any ($1) order by web_hook_id, id)`,
        values: [slow.slice(1)],
      })
    })
    expect(await late).toBe(0)
    await deleteHooks(slow)
  })

  test('the list of the few that failed reads none of the many that were delivered', async () => {
    const ada = await newUser()
    const { id } = await hookOf(ada)
    await addDeliveries(id, 1, { status: `'failed'` })
    await addDeliveries(id, 3_000, { status: `'delivered'` })
    await bank.owner.query({ text: 'analyze web_hook_deliveries' })
    const query = jest.spyOn(bank.deliveries.tools.db, 'query')
    expect(await deliveriesOf(ada, id, '?status=failed')).toHaveLength(1)
    const [list] = query.mock.calls.find(([{ text }]) => text.includes('web_hook_deliveries'))!
    query.mockRestore()
    await bank.owner.transaction(async (tx) => {
      expect(await rowsRead(tx, () => tx.query(list))).toBeLessThan(100)
    })
  })

  /** How many rows of deliveries `act` reads. */
  async function rowsRead(tx: Transaction, act: () => Promise<unknown>): Promise<number> {
    const read = async () => {
      const [row] = await tx.query<{ rows: bigint }>({
        text: `select seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables
          where relname = 'web_hook_deliveries'`,
      })
      return Number(row!.rows)
    }
    // It isn't zero: what the connection did in the last second may not be reported yet, and counts as well.
    const before = await read()
    await act()
    return (await read()) - before
  }

  /** Stores deliveries as queue-web-hooks does, with some columns set to an expression. */
  const addDeliveries = (hookId: string, count: number, columns: Record<string, string> = {}) => {
    const names = Object.keys(columns).map((name) => `, ${name}`)
    const values = Object.values(columns).map((value) => `, ${value}`)
    return bank.owner.query({
      text: `insert into web_hook_deliveries (web_hook_id, event_source, event_id, event_type, body${names.join('')})
        select $1, '/test', uuidv7(), 'hold.placed', '{}'${values.join('')} from generate_series(1, $2)`,
      values: [hookId, count],
    })
  }
})
