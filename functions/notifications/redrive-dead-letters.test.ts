import { randomUUID } from 'node:crypto'
import { redriveDue } from '../../eventing/contracts/redrive.due.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { deliverEvent, deliverTick } from '../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import deadLetters from './dead-letters.ts'
import redriveDeadLetters from './redrive-dead-letters.ts'
import sweepNotifications from './sweep-notifications.ts'
import { deliverLetter, testBroker, type TestBroker } from './testing/dead-letters-fixture.ts'

/** Redrives of many dead letters: at a rate, each letter at least once, whatever dies. */

let database: TestDatabase
let owner: Database
let broker: TestBroker
let functions: Record<'letters' | 'run' | 'sweep', TestFunction>
let operator: string
const operatorId = randomUUID()

beforeAll(async () => {
  database = await testDatabase('notifications')
  broker = await testBroker()
  const env = { NOTIFICATIONS_DATABASE_URL: database.url, BROKER_URL: broker.url }
  functions = {
    letters: await startFunction(deadLetters, env),
    run: await startFunction(redriveDeadLetters, env),
    sweep: await startFunction(sweepNotifications, env),
  }
  const log = createLog({}, 'error', () => {})
  owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'test', log })
  operator = await token({ userId: operatorId, role: 'operator' })
})

beforeEach(() => {
  broker.answer = () => 202
  broker.taken = []
})

afterAll(async () => {
  for (const running of Object.values(functions)) await running.stop()
  await owner.close()
  broker.close()
  await database.drop()
})

const call = (method: string, path: string, body?: object, key?: string): Promise<Answer> =>
  functions.letters.request(method, path, {
    token: operator,
    ...(body && { body }),
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  })

/** Stores letters of one group, and returns the group's id and theirs, in their order. */
async function storeGroup(count: number) {
  const said = `cause ${randomUUID().replace(/[^a-z]/g, '')}x`
  const events = Array.from({ length: count }, () => randomUUID())
  for (const id of events) expect((await deliverLetter(functions.letters, { id, said })).status).toBe(204)
  const { body } = await call('GET', `/dead-letters?limit=200&error=${said}`)
  const letters = (body.items as { id: string; group_id: string; event_id: string }[]).reverse()
  expect(letters.map(({ event_id: id }) => id)).toEqual(events)
  return { group: letters[0]!.group_id, ids: letters.map(({ id }) => id), events, said }
}

const groupOf = async (id: string) => {
  const { body } = await call('GET', '/dead-letters/groups?limit=200')
  return (body.items as { id: string }[]).find((group) => group.id === id)
}
const begin = (body: object, key?: string) => call('POST', '/dead-letter-redrives', body, key)
const progress = async (id: string) => (await call('GET', `/dead-letter-redrives/${id}`)).body
const goOn = (id: string, turn = 1) =>
  deliverEvent(functions.run, redriveDue as never, { redrive_id: id, turn })
const named = ({ status, body }: Answer) => [status, (body.type as string | undefined)?.split('/').pop()]
/** Ids of the letters' events that the Broker took, without what the redrive itself emitted. */
const published = () =>
  broker.taken.flatMap(({ attributes: { id, type } }) => (type === redriveDue.type ? [] : [String(id)]))
/** The turns of a redrive whose events the Broker took. */
const turns = (id: string) =>
  broker.taken.flatMap(({ attributes: { type, subject }, data }) =>
    type === redriveDue.type && subject === id
      ? [(JSON.parse(data.toString()) as { turn: number }).turn]
      : [],
  )

test('a group is published again as a job, whose progress can be read; what returns has come back', async () => {
  const { group, events, said } = await storeGroup(3)
  const asked = await begin({ group, per_second: 100 })
  expect(asked.status).toBe(202)
  expect(asked.headers.get('location')).toBe(`/api/dead-letter-redrives/${asked.body.id}`)
  expect(asked.body).toMatchObject({
    ...{ group_id: group, requested_by: operatorId, per_second: 100, status: 'running' },
    ...{ total: 3, sent: 0, failed: 0, came_back: 0, remaining: 3, ended_at: null },
  })
  expect(await groupOf(group)).toMatchObject({ stored: 3, redriven: 0, redrive_id: asked.body.id })
  await until(() => turns(asked.body.id).includes(1), { what: 'the event that goes on with it' })
  expect((await goOn(asked.body.id)).status).toBe(204)
  expect(published().sort()).toEqual([...events].sort())
  expect(await progress(asked.body.id)).toMatchObject({
    ...{ status: 'completed', total: 3, sent: 3, remaining: 0, ended_at: expect.any(String) },
  })
  expect(await groupOf(group)).toMatchObject({ stored: 0, redriven: 3, came_back: 0, redrive_id: null })
  await deliverLetter(functions.letters, { id: events[1]!, said })
  expect(await groupOf(group)).toMatchObject({ stored: 1, redriven: 2, came_back: 1 })
  expect((await progress(asked.body.id)).came_back).toBe(1)
  const { body } = await call('GET', `/dead-letters?group=${group}&status=stored`)
  expect(body.items).toMatchObject([
    { event_id: events[1], deliveries: 2, came_back_at: expect.any(String), is_queued: false },
  ])
})

test('letters go out at the rate that was asked for', async () => {
  const { ids } = await storeGroup(3)
  const { body } = await begin({ ids, per_second: 5 })
  await goOn(body.id)
  const [row] = await owner.query<{ is_paced: boolean }>({
    text: `select next_at >= created_at + interval '600 ms' as is_paced from dead_letter_redrives where id = $1`,
    values: [body.id],
  })
  expect([row!.is_paced, (await progress(body.id)).sent]).toEqual([true, 3])
})

test('a process that dies after publishing loses nothing: the event comes again, and all are sent', async () => {
  const { ids, events } = await storeGroup(3)
  const { body } = await begin({ ids, per_second: 5 })
  // The second letter is published, and nothing is stored of it.
  await owner.query({
    text: `alter table dead_letter_redrives add constraint dies check (sent < 2) not valid`,
  })
  expect((await goOn(body.id)).status).toBe(500)
  await owner.query({ text: 'alter table dead_letter_redrives drop constraint dies' })
  expect(published()).toEqual(events.slice(0, 2))
  expect(await progress(body.id)).toMatchObject({ status: 'running', sent: 1, remaining: 2 })
  expect((await goOn(body.id)).status).toBe(204)
  expect(published()).toEqual([events[0], events[1], events[1], events[2]])
  expect(await progress(body.id)).toMatchObject({ status: 'completed', sent: 3, remaining: 0 })
})

test('the sweep goes on with a redrive whose event is lost, and then the old event does nothing', async () => {
  const { ids, events } = await storeGroup(1)
  const { body } = await begin({ ids })
  await owner.query({
    text: `update dead_letter_redrives set next_at = now() - interval '2 minutes' where id = $1`,
    values: [body.id],
  })
  await deliverTick(functions.sweep, 'sweep-notifications')
  await until(() => turns(body.id).includes(2), { what: 'the event of the second turn' })
  await goOn(body.id, 1)
  expect(published()).toEqual([])
  await goOn(body.id, 2)
  expect([published(), (await progress(body.id)).status]).toEqual([events, 'completed'])
})

test('while the Broker takes nothing, the redrive waits; a letter that it refuses is left out', async () => {
  const { ids, events, group } = await storeGroup(2)
  const { body } = await begin({ ids, per_second: 100 })
  let tries = 0
  broker.answer = ({ attributes: { id } }) => {
    if (id === events[0]) return 400
    return id === events[1] && ++tries < 2 ? 503 : 202
  }
  await goOn(body.id)
  expect(await progress(body.id)).toMatchObject({ status: 'completed', total: 2, sent: 1, failed: 1 })
  expect(published()).toEqual([events[1]])
  expect(await groupOf(group)).toMatchObject({ stored: 1, redriven: 1 })
})

test('a letter that the Broker never takes holds up none behind it', async () => {
  const { ids, events } = await storeGroup(2)
  const { body } = await begin({ ids, per_second: 5 })
  broker.answer = ({ attributes: { id } }) =>
    id === events[0] && !published().includes(events[1]!) ? 503 : 202
  await goOn(body.id)
  expect(published()).toEqual([events[1], events[0]])
})

test('a letter that the Broker never takes is given up in the end, and counted as failed', async () => {
  const { ids, events, group } = await storeGroup(2)
  const { body } = await begin({ ids, per_second: 100 })
  broker.answer = ({ attributes: { id } }) => (id === events[0] ? 503 : 202)
  await owner.query({ text: 'update dead_letters set tries = 98 where id = any ($1)', values: [ids] })
  await goOn(body.id)
  expect(published()).toEqual([events[1]])
  expect(await progress(body.id)).toMatchObject({ status: 'completed', sent: 1, failed: 1, remaining: 0 })
  expect(await groupOf(group)).toMatchObject({ stored: 1, redriven: 1 })
  // Another redrive begins anew.
  const again = await begin({ ids: [ids[0]] })
  const [letter] = await owner.query({
    text: 'select tries from dead_letters where id = $1',
    values: [ids[0]],
  })
  expect(letter).toEqual({ tries: 0 })
  await call('POST', `/dead-letter-redrives/${again.body.id}/stop`)
})

test('another redrive is refused while 50 run', async () => {
  const { ids, group } = await storeGroup(1)
  await owner.query({
    text: `insert into dead_letter_redrives (requested_by, per_second, total)
      select $1, 7, 0 from generate_series(1, 50)`,
    values: [operatorId],
  })
  expect(named(await begin({ ids }))).toEqual([409, 'too-many-redrives'])
  await owner.query({
    text: `update dead_letter_redrives set status = 'stopped', ended_at = now()
    where per_second = 7`,
  })
  expect((await begin({ group })).status).toBe(202)
})

test('a clock that was set back stops no redrive', async () => {
  const { ids, events } = await storeGroup(1)
  const { body } = await begin({ ids })
  await owner.query({
    text: `update dead_letter_redrives set next_at = now() + interval '1 hour' where id = $1`,
    values: [body.id],
  })
  await goOn(body.id)
  expect(published()).toEqual(events)
})

test('two processes at one redrive send each letter once, and keep the rate together', async () => {
  const { ids, events } = await storeGroup(4)
  const { body } = await begin({ ids, per_second: 10 })
  await Promise.all([goOn(body.id), goOn(body.id)])
  expect(published().sort()).toEqual([...events].sort())
  expect(await progress(body.id)).toMatchObject({ status: 'completed', sent: 4 })
})

test('a redrive can be stopped: what it has not sent waits as before, and nothing is sent any more', async () => {
  const { group } = await storeGroup(2)
  const { body } = await begin({ group })
  const stopped = await call('POST', `/dead-letter-redrives/${body.id}/stop`)
  expect([stopped.status, stopped.body.status, stopped.body.remaining]).toEqual([200, 'stopped', 0])
  await goOn(body.id)
  expect(published()).toEqual([])
  expect(await groupOf(group)).toMatchObject({ stored: 2, redrive_id: null })
  // Once more changes nothing, and another may begin.
  expect((await call('POST', `/dead-letter-redrives/${body.id}/stop`)).body).toEqual(stopped.body)
  expect((await begin({ group })).status).toBe(202)
})

test('no letter is in two redrives, also if both are asked for at once', async () => {
  const { group, ids } = await storeGroup(2)
  const answers = await Promise.all([begin({ group }), begin({ group }), begin({ ids })])
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409])
  expect(named(await begin({ ids: [ids[1]] }))).toEqual([409, 'redrive-under-way'])
  expect(named(await begin({ group }))[0]).toBe(409)
})

test('a letter that is redriven alone or discarded leaves the redrive that it waited for', async () => {
  const { ids, events } = await storeGroup(3)
  const { body } = await begin({ ids, per_second: 100 })
  await call('POST', `/dead-letters/${ids[0]}/redrive`)
  await call('POST', `/dead-letters/${ids[1]}/discard`, { reason: 'It was a test.' })
  await goOn(body.id)
  expect(published()).toEqual([events[0], events[2]])
  expect(await progress(body.id)).toMatchObject({ status: 'completed', total: 3, sent: 1, remaining: 0 })
})

test('a repeated key gets the first answer, and begins no second redrive', async () => {
  const { group } = await storeGroup(1)
  const key = randomUUID()
  const [first, again] = [await begin({ group }, key), await begin({ group }, key)]
  expect([first.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([
    202,
    first.body,
    'true',
  ])
  expect(named(await begin({ group, per_second: 3 }, key))).toEqual([422, 'idempotency-key-reused'])
})

test('a group without waiting letters, or that is not there, is refused', async () => {
  const { group, ids } = await storeGroup(1)
  await call('POST', `/dead-letters/${ids[0]}/discard`, { reason: 'Nobody needs it.' })
  expect(named(await begin({ group }))).toEqual([409, 'nothing-to-redrive'])
  expect(named(await begin({ group: randomUUID() }))).toEqual([404, 'not-found'])
  expect(named(await begin({ ids: [ids[0], randomUUID()] }))).toEqual([404, 'not-found'])
  // A discarded one can still be sent, if somebody names it.
  expect((await begin({ ids })).body.total).toBe(1)
})

test.each([
  ['neither group nor letters', {}],
  ['both', { group: randomUUID(), ids: [randomUUID()] }],
  ['no letters', { ids: [] }],
  ['what is no id', { ids: ['all'] }],
  ['a rate of nothing', { group: randomUUID(), per_second: 0 }],
  ['too high a rate', { group: randomUUID(), per_second: 101 }],
  ['a field that is not known', { group: randomUUID(), force: true }],
])('a redrive of %s is 400', async (_what, body) => {
  expect(named(await begin(body))).toEqual([400, 'invalid-input'])
})

test('redrives are for operators only, and an unknown one is 404', async () => {
  const customer = await token({ userId: randomUUID() })
  const routes = [
    ['POST', '/dead-letter-redrives'],
    ['GET', '/dead-letter-redrives'],
    ['GET', `/dead-letter-redrives/${randomUUID()}`],
    ['POST', `/dead-letter-redrives/${randomUUID()}/stop`],
  ] as const
  for (const [method, path] of routes) {
    const body = method === 'POST' && !path.endsWith('/stop') ? { group: randomUUID() } : undefined
    const ask = (bearer?: string) =>
      functions.letters.request(method, path, { ...(bearer && { token: bearer }), ...(body && { body }) })
    expect((await ask()).status).toBe(401)
    expect((await ask(customer)).status).toBe(403)
    if (method === 'POST' || path !== '/dead-letter-redrives') expect((await ask(operator)).status).toBe(404)
  }
  expect((await call('GET', '/dead-letter-redrives?limit=2')).body.items).toHaveLength(2)
})
