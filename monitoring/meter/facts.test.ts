import { Client } from 'pg'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startSilentProxy } from '../../tests/support/silent-proxy.ts'
import { until } from '../../tests/support/until.ts'
import type { Sample } from '../catalogue.ts'
import { createLog } from '../log.ts'
import { startFacts, type Facts } from './facts.ts'

let identity: TestDatabase
let notifications: TestDatabase
let facts: Facts
let superuser: Client
const lines: string[] = []

beforeAll(async () => {
  identity = await testDatabase('identity')
  notifications = await testDatabase('notifications')
  superuser = new Client({ connectionString: process.env.TEST_POSTGRES_URL! })
  await superuser.connect()
  facts = startFacts({
    databases: { identity: identity.meterUrl, notifications: notifications.meterUrl },
    log: createLog({}, 'warn', (line) => lines.push(line)),
    everyMs: 20,
    slowEveryMs: 40,
    slackMs: 50,
    // Otherwise a read that takes a second on a busy machine is the last for two minutes.
    slowPause: 1,
  })
})
afterAll(async () => {
  await facts.stop()
  await superuser.end()
  await Promise.all([identity.drop(), notifications.drop()])
})

const valueOf = (name: string, labels: Sample['labels'] = {}): number | undefined =>
  facts
    .samples()
    .find(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value

async function run(database: TestDatabase, text: string): Promise<void> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query(text)
  await client.end()
}

const eventOf = (type: string, data = '{}'): string =>
  `insert into outbox (type, source, subject, dataschema, partitionkey, data) values ('${type}', 'a', 'b', 'c', 'd', '${data}')`

test('samples of each context have the names and labels of the catalogue', async () => {
  await run(
    identity,
    `insert into users (name, email) values ('A', 'a@b.example'); ${eventOf('user.registered')}`,
  )
  await run(
    notifications,
    `insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
       select uuidv7(), 'a', n::text, case when n < 3 then 'notify' else 'notify-user' end, 'b', 'c', 'd' from generate_series(1, 3) n;
     ${eventOf('notification.sent', '{"channel": "email"}')};
     ${eventOf('notification.failed', '{"channel": "sms"}')};
     insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id, status,
         discarded_at, discarded_by, discard_reason)
       select 'a', status, 'b', '{}', 'http://notify.bank.svc.cluster.local/events', '',
         dead_letter_group('notify', 'b', null, status), status, now(), uuidv7(), 'c'
       from unnest(array['stored', 'redriven', 'discarded']) status`,
  )
  await until(() => valueOf('microbank_events_total', { context: 'identity', type: 'user.registered' }) === 1)
  await until(() => valueOf('microbank_users', { role: 'customer' }) === 1)
  await until(() => valueOf('microbank_dead_letters', { destination: 'notify' }) === 1)
  await until(() => valueOf('microbank_notifications_total', { channel: 'sms', status: 'failed' }) === 1)
  expect(valueOf('microbank_notifications_total', { channel: 'in-app', status: 'stored' })).toBe(3)
  expect(valueOf('microbank_notifications_total', { channel: 'email', status: 'sent' })).toBe(1)
  expect(valueOf('microbank_transactions_notified_total')).toBe(2)
  expect(valueOf('microbank_events_total', { context: 'notifications', type: 'notification.stored' })).toBe(3)
  expect(valueOf('pg_up', { context: 'notifications' })).toBe(1)
  expect(valueOf('pg_settings_max_connections', { context: 'identity' })).toBeGreaterThan(0)
  expect(valueOf('microbank_outbox_pending', { context: 'identity' })).toBe(0)
  const series = facts.samples().map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
  expect(new Set(series).size).toBe(series.length)
  expect(lines).toEqual([])
})

test('a context that does not answer loses its series and is down, and the others stay', async () => {
  const allow = (isAllowed: boolean) =>
    superuser.query(`alter database ${identity.name} allow_connections ${String(isAllowed)}`)
  await allow(false)
  await superuser.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${identity.name}'`,
  )
  await until(() => valueOf('pg_up', { context: 'identity' }) === 0)
  expect(facts.samples().filter(({ labels }) => labels.context === 'identity')).toHaveLength(1)
  expect(valueOf('microbank_users')).toBeUndefined()
  expect(valueOf('pg_up', { context: 'notifications' })).toBe(1)
  expect(lines.join()).toContain('the facts of a context could not be read')
  await allow(true)
  await until(() => valueOf('pg_up', { context: 'identity' }) === 1)
  expect(valueOf('microbank_events_total', { context: 'identity', type: 'user.registered' })).toBe(1)
})

test('slow facts that take too long are left out: the database is not down', async () => {
  const owner = new Client({ connectionString: notifications.ownerUrl })
  await owner.connect()
  await owner.query(`create or replace function slow_facts() returns setof sample language plpgsql
    as 'begin raise query_canceled; end'`)
  await owner.end()
  await until(() => valueOf('microbank_dead_letters') === undefined)
  expect(valueOf('pg_up', { context: 'notifications' })).toBe(1)
  expect(valueOf('microbank_notifications_total', { channel: 'in-app' })).toBe(3)
  expect(lines.join()).toContain('take too long')
})

test('it ends even if a server no longer answers', async () => {
  const proxy = await startSilentProxy(identity.meterUrl)
  const log = createLog({}, 'off')
  const through = startFacts({ databases: { identity: proxy.through(identity.meterUrl) }, log })
  await until(() => through.samples().length > 1)
  proxy.swallowAnswers()
  await through.stop()
  await proxy.stop()
})
