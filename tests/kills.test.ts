import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { image, multipart, send } from '../functions/documents/testing/documents-fixture.ts'
import type { MailServer } from '../functions/notifications/testing/mail-server.ts'
import type { TestProvider } from '../functions/notifications/testing/provider.ts'
import type { Receiver } from '../functions/payments/web-hooks/web-hooks-fixture.ts'
import type { Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import type { Answer } from './support/host.ts'
import { startLivelyBank, type LivelyBank } from './support/lively-bank.ts'
import { operations } from './support/repository.ts'
import { signal } from './support/signal.ts'
import { until } from './support/until.ts'

/** Every function of payments, messages and documents that writes is killed with kill -9 in the middle of its
 * work: at its first write; after a commit, before it knows of it; and after the commit that ends the work,
 * before anybody else knows. Whoever asked repeats, the Broker delivers again, and sweeps find what is left.
 * In the end, all has happened once. */

/** Where a function is killed next. */
type Place = 'write' | 'commit' | 'end'

/** Tables that a function writes when its work is done, if it tells of it at all. */
const END_TABLES = ['outbox', 'inbox', 'idempotency_keys', 'audit']

const CONTEXTS = ['payments', 'notifications', 'documents'] as const

let lively: LivelyBank
let bank: Bank
let mail: MailServer
let provider: TestProvider
let receiver: Receiver
let operator: string
let ada: Customer
let bob: Customer
let checking: string
let savings: string
let bobs: string
let writers: { name: string; context: string }[]

beforeAll(async () => {
  lively = await startLivelyBank('email,sms,push')
  ;({ bank, mail, provider, receiver, operator, ada, checking, savings, bob, bobs } = lively)
  writers = (await operations()).filter(
    ({ context, consumes, routes = [] }) =>
      (CONTEXTS as readonly string[]).includes(context) &&
      (consumes !== undefined || routes.some(({ method }) => method !== 'GET')),
  )
  for (const context of CONTEXTS) await setTraps(context)
  await holdCommits()
})

afterAll(() => lively?.stop())

/** Has each function wait at the place that `traps` names: before its next write, or after that has committed
 * but before the function knows. What every process does besides its work (it publishes events, and counts
 * callers) is not held up. */
async function setTraps(context: string): Promise<void> {
  const names = writers.filter((one) => one.context === context).map(({ name }) => `('${name}')`)
  await bank.sql(
    context,
    `create table traps (name text primary key, place text not null default 'write');
      insert into traps values ${names.join()};
      create function wait_in_trap() returns trigger language plpgsql security definer as $$
      begin
        while exists (
          select from public.traps where name = current_setting('application_name') and place = 'write'
        ) loop
          perform pg_sleep(0.02);
        end loop;
        if exists (
          select from public.traps where name = current_setting('application_name')
            and (place = 'commit' or place = 'end' and tg_table_name = any ('{${END_TABLES.join()}}'))
        ) then
          perform set_config('synchronous_commit', 'on', true), set_config('statement_timeout', '0', true);
        end if;
        return null;
      end $$;
      do $$
      declare
        name text;
      begin
        for name in select c.relname from pg_class c
          where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname not in ('traps', 'outbox_pending', 'outbox_forgotten', 'rate_limits')
        loop
          execute format('create trigger wait_in_trap before insert or update or delete on %I
            for each statement execute function wait_in_trap()', name);
        end loop;
      end $$`,
  )
}

/** Has Postgres wait with each commit that a trap has made synchronous: it is on disk, and its standby, which
 * there is not, does not confirm it. All other commits are made local. */
async function holdCommits(): Promise<void> {
  await bank.sql('postgres', 'alter role all set synchronous_commit = local')
  await bank.sql('postgres', `alter system set synchronous_standby_names = 'nobody'`)
  await bank.sql('postgres', 'select pg_reload_conf()')
  // Open sessions have the setting from before.
  await bank.sql(
    'postgres',
    `select pg_terminate_backend(pid) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  )
}

async function releaseCommits(): Promise<void> {
  await bank.sql('postgres', 'alter system reset synchronous_standby_names')
  await bank.sql('postgres', 'select pg_reload_conf()')
}

interface Trapped {
  pid: number
  event: 'PgSleep' | 'SyncRep'
  name: string
  /** Null if the commit is none of a trap. */
  place: Place | null
}

/** Kills each function that is where it is to be killed, and lets all other commits pass. */
async function killTrapped(context: string): Promise<void> {
  const trapped = await bank.sql<Trapped>(
    context,
    `select a.pid, a.wait_event as event, a.application_name as name, t.place
      from pg_stat_activity a left join traps t on t.name = a.application_name
      where a.datname = current_database() and (a.wait_event = 'SyncRep' or a.wait_event = 'PgSleep' and t.place = 'write')`,
  )
  for (const { pid, event, name, place } of trapped) {
    if (event === 'PgSleep') await kill(context, name, 'commit')
    else if (place === 'commit') await kill(context, name, 'end')
    else if (place === 'end') await kill(context, name)
    // Whatever waits for the standby has committed, and is freed, whether or not somebody still hears of it.
    if (event === 'SyncRep') await bank.sql(context, `select pg_cancel_backend(${pid})`)
  }
}

async function kill(context: string, name: string, next?: Place): Promise<void> {
  signal(bank.functionPids(name), 'SIGKILL')
  await bank.sql(
    context,
    next
      ? `update traps set place = '${next}' where name = '${name}'`
      : `delete from traps where name = '${name}'`,
  )
}

/** The functions that were not killed yet before and after a commit. */
const alive = async (): Promise<string[]> =>
  (
    await Promise.all(
      CONTEXTS.map((context) =>
        bank.sql<{ name: string }>(
          context,
          `select name || ': ' || place as name from traps where place <> 'end' order by name`,
        ),
      ),
    )
  ).flatMap((rows) => rows.map(({ name }) => name))

/** Asks until there is an answer, with the same key, as a client does. */
async function ask(method: string, path: string, body?: unknown, token = ada.token): Promise<Answer> {
  const headers = { 'idempotency-key': randomUUID() }
  const { status, ...answer } = await until(
    async () => {
      const given = await bank.call(method, `/api${path}`, { token, body, headers })
      const isHeld = String(given.body?.type).endsWith('/idempotency-key-in-use')
      return given.status < 500 && given.status !== 429 && !isHeld && given
    },
    { timeoutMs: 240_000, everyMs: 100, what: `an answer of ${method} ${path}` },
  )
  expect([method, path, status, status < 300 || answer.body]).toEqual([method, path, status, true])
  return { status, ...answer }
}

/** Uploads an image until there is an answer. */
async function upload({ token }: Customer): Promise<string> {
  const [content, key] = [await image('png'), randomUUID()]
  const sent = { token, path: '/api/media/upload', headers: { 'idempotency-key': key } }
  const { body } = await until(
    async () => {
      const got = await send(bank.url, multipart([{ content }]), sent).catch(() => undefined)
      return got?.status === 201 && got
    },
    { timeoutMs: 240_000, everyMs: 100, what: 'a document to be taken' },
  )
  return body.public_id as string
}

/** Lets what a killed process has claimed be due at once, and has the sweeps look. */
async function nudge(): Promise<void> {
  await bank.sql(
    'payments',
    `update provider_transfers set next_at = now() where ended_at is null;
      update payments set taken_at = taken_at - interval '61 seconds'
        where status::text like '%ing' and taken_at between now() - interval '1 minute' and now() - interval '2 seconds';
      update payment_order_runs set next_attempt_at = now() where status = 'pending';
      update payouts set claimed_until = now() where status = 'running';
      update web_hook_deliveries set claimed_at = now() - interval '31 seconds' where claimed_at is not null`,
  )
  await bank.sql(
    'notifications',
    `update messages set next_attempt_at = now(), wake_at = now() where status = 'stored'
      and not exists (select from message_attempts a where a.message_id = messages.id
        and a.finished_at is null and a.started_at > now() - interval '2 seconds')`,
  )
  for (const context of CONTEXTS) await bank.ping(`sweep-${context}`).catch(() => undefined)
}

const requestsTo = (path: string) => provider.requests.filter((request) => request.path === path)

const reaches = (what: string, path: string, status: string) =>
  until(async () => (await bank.call('GET', `/api${path}`, { token: ada.token })).body?.status === status, {
    ...{ timeoutMs: 240_000, everyMs: 200, what },
  })

async function pay(): Promise<void> {
  const { body: hook } = await ask('POST', '/webhooks', { url: receiver.url, types: ['payment.created'] })
  await ask('PATCH', `/webhooks/${hook.id}`, { types: ['payment.executed'] })
  await ask('POST', `/webhooks/${hook.id}/secrets`)
  const payment = { account_id: checking, amount: '10.00', payee_account_id: bobs }
  const [executed, cancelled] = [
    (await ask('POST', '/payments/create', payment)).body.id,
    (await ask('POST', '/payments/create', payment)).body.id,
  ]
  await ask('POST', '/payments/execute', { payment_id: executed })
  await ask('POST', '/payments/cancel', { payment_id: cancelled })
  const deliveries = `/webhooks/${hook.id}/deliveries`
  const delivered = await until(
    async () => {
      const { body } = await bank.call('GET', `/api${deliveries}`, { token: ada.token })
      return body?.items?.[0]?.status === 'delivered' && body.items
    },
    { timeoutMs: 240_000, everyMs: 200, what: 'the web hook' },
  )
  expect(delivered).toHaveLength(1)
  await ask('POST', `${deliveries}/${delivered[0].id}/repeat`)
}

/** Pays payouts, of 15.00 each, until the function that its events wake was killed: a sweep may be first to
 * take one up. Resolves with how many that were. */
async function payMany(): Promise<number> {
  const items = Array.from({ length: 3 }, () => ({ to_account_id: savings, amount: '5.00' }))
  for (let payouts = 1; ; payouts++) {
    const { headers } = await ask('POST', '/payments/payout', { account_id: checking, items })
    await reaches('the payout to be completed', headers.get('location')!.slice('/api'.length), 'completed')
    if (!(await alive()).some((name) => name.startsWith('run-payouts:'))) return payouts
  }
}

async function order(): Promise<void> {
  const schedule = { every: 'month', on: 31, time_zone: 'Europe/Berlin' }
  const asked = { account_id: checking, to_account_id: savings, amount: '20.00', schedule }
  const { id } = (await ask('POST', '/orders', asked)).body
  await ask('PATCH', `/orders/${id}`, { amount: '30.00' })
  await bank.sql('payments', `update payment_orders set next_due_at = now() where id = '${id}'`)
  await until(
    async () => {
      const { body } = await bank.call('GET', `/api/orders/${id}/runs`, { token: ada.token })
      return body?.items?.[0]?.status === 'paid'
    },
    { timeoutMs: 240_000, everyMs: 200, what: 'the run' },
  )
  await ask('DELETE', `/orders/${id}`)
}

async function moveOutside(): Promise<void> {
  const payee = { payee_name: 'Ada', payee_account: 'DE89370400440532013000' }
  await Promise.all(
    [
      ['top-ups', '50.00'],
      ['withdrawals', '20.00'],
    ].map(async ([kind, amount]) => {
      const asked = { account_id: checking, amount, ...(kind === 'withdrawals' && payee) }
      const { id } = (await ask('POST', `/payments/${kind}`, asked)).body
      await reaches(`the end of ${kind}`, `/payments/${kind}/${id}`, 'completed')
    }),
  )
}

async function message(): Promise<void> {
  const ecdh = createECDH('prime256v1')
  const keys = {
    p256dh: ecdh.generateKeys().toString('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }
  await ask('PUT', '/notifications/preferences', { language: 'de' })
  await ask('POST', '/notifications/push-subscriptions', { endpoint: `${provider.url}/push`, keys })
  await ask('PUT', `/notifications/contacts/${ada.id}/phone`, { phone: '+15555550100' }, operator)
  for (const channel of ['email', 'sms', 'push'])
    await ask('POST', '/notifications/send', { user_id: ada.id, channel, message: 'Hello' }, operator)
  const newest = await until(
    async () => {
      const { body } = await bank.call('GET', '/api/notifications', { token: ada.token })
      return body?.items?.[0]?.id
    },
    { timeoutMs: 240_000, everyMs: 200, what: 'a notification' },
  )
  await ask('POST', '/notifications/read', { up_to: newest })
}

/** Sends a dead letter again that nobody can process. */
async function redrive(): Promise<void> {
  const [letter] = await bank.sql<{ id: string }>(
    'notifications',
    `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
      select '/poison', '1', 'poison', '{"specversion":"1.0","id":"1","source":"/poison","type":"poison"}',
        'http://notify.bank', '', dead_letter_group('notify', 'poison', '500', 'no') returning id`,
  )
  const { body } = await ask('POST', '/dead-letter-redrives', { ids: [letter!.id], per_second: 10 }, operator)
  await until(
    async () =>
      (await bank.call('GET', `/api/dead-letter-redrives/${body.id}`, { token: operator })).body?.status ===
      'completed',
    { timeoutMs: 240_000, everyMs: 200, what: 'the redrive' },
  )
}

async function keepDocuments(): Promise<void> {
  const [kept, deleted] = [await upload(ada), await upload(ada)]
  const [now] = await bank.sql<{ to: string }>('ledger', `select to_json(now()) #>> '{}' as to`)
  const period = { from: '2026-01-01', to: new Date(now!.to).toISOString() }
  await ask('POST', '/documents/statements', { account_id: checking, format: 'csv', ...period })
  await until(
    async () => {
      const { status } = await bank.call('DELETE', `/api/media/${deleted}`, { token: ada.token })
      return status === 204 || status === 404
    },
    { timeoutMs: 240_000, everyMs: 100, what: 'the deletion' },
  )
  await until(
    async () => {
      const { body } = await bank.call('GET', '/api/media', { token: ada.token })
      const found = (body?.items as { public_id: string; status: string }[] | undefined)?.find(
        ({ public_id: id }) => id === kept,
      )
      return found?.status === 'ready'
    },
    { timeoutMs: 240_000, everyMs: 200, what: 'the image' },
  )
}

/** Somebody comes and goes, and leaves a document. */
async function comeAndGo(): Promise<void> {
  const carol = await registerCustomer(bank)
  await upload(carol)
  await ask('DELETE', `/users/${carol.id}`, undefined, carol.token)
  await until(
    async () =>
      (await bank.sql('documents', `select from documents where user_id = '${carol.id}'`)).length === 0,
    { timeoutMs: 240_000, everyMs: 200, what: 'her document to be deleted' },
  )
}

/** Seals the books until the witness has heard of it. */
async function seal(): Promise<void> {
  await until(
    async () => {
      await bank.ping('seal-ledger')
      return (await bank.sql('notifications', 'select from witnessed_seals limit 1')).length > 0
    },
    { timeoutMs: 240_000, everyMs: 300, what: 'a seal at its witness' },
  )
}

test('each function that writes is killed in the middle of its work, before and after its commit, and all happens once', async () => {
  let isOver = false
  let payouts = 0
  const killing = Promise.all([
    ...CONTEXTS.map(async (context) => {
      await until(async () => (await killTrapped(context), isOver), {
        timeoutMs: 400_000,
        everyMs: 50,
        what: 'the end',
      })
    }),
    until(async () => (await nudge(), isOver), { timeoutMs: 400_000, everyMs: 500, what: 'the end' }),
  ])
  try {
    const payAll = async () => void (payouts = await payMany())
    const work = [pay, payAll, order, moveOutside, message, redrive, keepDocuments, comeAndGo, seal]
    await Promise.all(work.map((one) => one()))
    await until(async () => (await alive()).length === 0, { timeoutMs: 120_000, what: 'the last kill' })
  } catch (error) {
    throw new Error(`not killed: ${(await alive()).join(', ')}`, { cause: error })
  } finally {
    isOver = true
    await killing
    await releaseCommits()
  }

  const { [checking]: left, [savings]: saved } = await ada.balances()
  expect([left, saved, (await bob.balances())[bobs]]).toEqual([
    ...[`${990 - 15 * payouts}.00`, `${30 + 15 * payouts}.00`],
    '10.00',
  ])
  const count = async (context: string, text: string) =>
    Number((await bank.sql<{ count: string }>(context, `select count(*) ${text}`))[0]!.count)
  expect(await count('ledger', `from holds where status = 'open'`)).toBe(0)
  expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
  expect(await count('payments', `from payments where status not in ('executed', 'cancelled')`)).toBe(0)
  await until(
    async () => {
      await nudge()
      return (await count('notifications', `from messages where status = 'stored'`)) === 0
    },
    { timeoutMs: 240_000, everyMs: 500, what: 'all messages to be sent' },
  )
  // The Broker may deliver it again some time after the function was killed.
  const told = `from notifications where event_type = 'payment.executed'`
  await until(async () => (await count('notifications', told)) > 0, {
    ...{ timeoutMs: 120_000, everyMs: 500, what: 'the notification of the payment' },
  })
  expect(await count('notifications', told)).toBe(1)
  // What was for Carol, and not yet sent when she left, has failed.
  const failed = `from messages where status = 'failed' and user_id = '${ada.id}'`
  expect(await count('notifications', failed)).toBe(0)
  expect(await count('documents', `from documents where user_id = '${ada.id}'`)).toBe(2)

  // A channel may get a message twice. Then it has the same id, and the bank knows it as one.
  const stored = await bank.sql<{ id: string; channel: string; status: string; isHello: boolean }>(
    'notifications',
    `select m.id, m.channel, m.status, n.message = 'Hello' as "isHello"
      from messages m join notifications n on n.id = m.notification_id`,
  )
  const seen: Record<string, unknown[]> = {
    email: mail.mails.map(({ mail: { messageId } }) => messageId!.slice(1).split('@')[0]),
    sms: requestsTo('/sms').map(({ headers }) => headers['idempotency-key']),
    push: requestsTo('/push').map(({ headers }) =>
      String(headers.topic).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    ),
  }
  for (const [channel, ids] of Object.entries(seen)) {
    const known = stored.filter((message) => message.channel === channel)
    const unknown = ids.filter((id) => !known.some((message) => message.id === id))
    const unseen = known.filter(({ id, status }) => status === 'sent' && !ids.includes(id))
    const hellos = known.filter(({ isHello }) => isHello)
    expect([channel, unknown, unseen, hellos.length]).toEqual([channel, [], [], 1])
  }
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
}, 500_000)
