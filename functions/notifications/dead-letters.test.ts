import { randomUUID } from 'node:crypto'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { eventKey, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { isSigned, signEvent } from '../../eventing/signature.ts'
import deadLetters from './dead-letters.ts'
import { deliverLetter, testBroker, type TestBroker } from './testing/dead-letters-fixture.ts'

let database: TestDatabase
let host: TestFunction
let operator: string
/** Accepts the redriven events, or refuses them. */
let broker: TestBroker

beforeAll(async () => {
  broker = await testBroker()
  database = await testDatabase('notifications')
  host = await startFunction(deadLetters, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: broker.url,
  })
  operator = await token({ userId: randomUUID(), role: 'operator' })
})

afterAll(async () => {
  await host.stop()
  broker.close()
  await database.drop()
})

function deliver(id: string, body: string, headers: Record<string, string> = {}) {
  return host.request('POST', '/events', {
    body,
    headers: {
      host: 'dead-letters.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'payment.created',
      'ce-source': '/microbank/payments',
      'ce-traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'ce-knativeerrordest': 'http://notify.bank.svc.cluster.local/events',
      'ce-knativeerrorcode': '500',
      'ce-knativeerrordata': Buffer.from('{"title":"no"}').toString('base64'),
      ...headers,
    },
  })
}

const find = async (eventId: string) => {
  const { body } = await host.request('GET', '/dead-letters?limit=200', { token: operator })
  return (body.items as Record<string, unknown>[]).find((item) => item.event_id === eventId)
}

test('an event that could not be processed is stored complete, with the consumer that failed and how', async () => {
  const id = randomUUID()
  expect((await deliver(id, '{"amount":"1.00"}')).status).toBe(204)
  expect(await find(id)).toMatchObject({
    event_type: 'payment.created',
    destination: 'http://notify.bank.svc.cluster.local/events',
    error_code: '500',
    error_data: '{"title":"no"}',
    deliveries: 1,
    status: 'stored',
    redriven_at: null,
    event: {
      id,
      source: '/microbank/payments',
      data: { amount: '1.00' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  })
})

test('the same dead letter again is counted, not stored twice', async () => {
  const id = randomUUID()
  await Promise.all([deliver(id, '{}'), deliver(id, '{}'), deliver(id, '{}')])
  expect(await find(id)).toMatchObject({ deliveries: 3 })
})

test('a forged event with the id of a true one does not take its place', async () => {
  const id = randomUUID()
  const forgeries: [body: string, headers: Record<string, string>][] = [
    ['{"forged":1}', {}],
    ['{"true":1}', { 'ce-subject': 'another', 'ce-signature': 'true' }],
    ['{"true":1}', { 'ce-signature': 'false' }],
  ]
  for (const [body, headers] of forgeries) expect((await deliver(id, body, headers)).status).toBe(204)
  expect((await deliver(id, '{"true":1}', { 'ce-signature': 'true' })).status).toBe(204)
  const { body } = await host.request('GET', '/dead-letters?limit=200', { token: operator })
  const kept = (body.items as { event_id: string; event: object }[]).filter(({ event_id }) => event_id === id)
  expect(kept).toHaveLength(4)
  expect(kept[0]!.event).toMatchObject({ signature: 'true', data: { true: 1 } })
})

test.each([
  ['data that is not text', '\u0001\u0002', { 'content-type': 'application/octet-stream' }],
  ['text with NUL', '{"text":"a\\u0000b"}', {}],
  ['broken JSON', '{"amount":', {}],
  ['no data', '', {}],
  ['JSON with space in and around it', ' { "amount" : 1.10 }\n', {}],
])('%s is stored too, and redriven as it was', async (_what, body, headers) => {
  const id = randomUUID()
  expect((await deliver(id, body, headers)).status).toBe(204)
  const letter = await find(id)
  const answer = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect(answer.status).toBe(202)
  expect(broker.taken.at(-1)).toMatchObject({ attributes: { id }, data: Buffer.from(body) })
})

test('redriving publishes the event with its first id, without the Broker’s attributes', async () => {
  const id = randomUUID()
  await deliver(id, '{"amount":"2.00"}')
  const letter = await find(id)
  const { status, body } = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect([status, body.status]).toEqual([202, 'redriven'])
  const sent = broker.taken.at(-1)!
  expect(sent.attributes).toMatchObject({ id, type: 'payment.created' })
  expect(sent.data.toString()).toBe('{"amount":"2.00"}')
  expect(Object.keys(sent.attributes).filter((name) => name.startsWith('knativeerror'))).toEqual([])
})

test('a signature is still valid after a dead letter and a redrive', async () => {
  const id = randomUUID()
  const attributes = {
    source: '/microbank/payments',
    id,
    type: 'payment.created',
    time: '2026-01-05T09:30:00.120Z',
  }
  const data = '{"amount" : "2.00", "of" : ["a" , "b"]}'
  const signature = signEvent(attributes, data, eventKey('ledger'))
  // Knative's own Broker formats the time in its own way.
  await deliver(id, data, { 'ce-time': '2026-01-05T09:30:00.12Z', 'ce-signature': signature })
  const letter = await find(id)
  await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, { token: operator })
  const sent = broker.taken.at(-1)!
  expect([sent.attributes.id, isSigned(sent, eventKey('ledger'))]).toEqual([id, true])
})

test('the reason comes from the consumer’s answer; if the Broker kept none, a hint names the log', async () => {
  const [told, untold] = [randomUUID(), randomUUID()]
  const problem = JSON.stringify({ title: 'no', detail: 'It is not signed by the context ledger.' })
  await deliver(told, '{}', { 'ce-knativeerrordata': Buffer.from(problem).toString('base64') })
  await deliver(untold, '{}', { 'ce-knativeerrordata': '' })
  expect(await find(told)).toMatchObject({ reason: 'It is not signed by the context ledger.', hint: null })
  expect(await find(untold)).toMatchObject({
    reason: null,
    hint: `Look for "event refused" with event_id ${untold} in the log of notify.`,
  })
})

test('if the Broker is unreachable, redriving is 503 and the dead letter stays as it was', async () => {
  const id = randomUUID()
  await deliver(id, '{}')
  const letter = await find(id)
  broker.answer = () => 503
  const answer = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  broker.answer = () => 202
  expect(answer.status).toBe(503)
  expect(await find(id)).toMatchObject({ status: 'stored', redriven_at: null })
})

test('dead letters are for operators only, and an unknown id is 404', async () => {
  const customer = await token({ userId: randomUUID() })
  expect((await host.request('GET', '/dead-letters', { token: customer })).status).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: customer })).status,
  ).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: operator })).status,
  ).toBe(404)
})

describe('groups', () => {
  const groups = async (query = '') =>
    (await host.request('GET', `/dead-letters/groups?limit=200${query}`, { token: operator })).body.items
  const letters = async (query: string) =>
    (await host.request('GET', `/dead-letters?limit=200&${query}`, { token: operator })).body.items

  test('are by Trigger, type and what the consumer said, without ids and figures', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()]
    for (const [n, id] of ids.entries())
      await deliverLetter(host, {
        ...{
          id,
          type: 'transaction.reversed',
          said: `There is no user ${randomUUID()} (${n}.5 of ${n + 7}).`,
        },
        consumer: n < 2 ? 'notify' : 'queue-web-hooks',
      })
    const found = await groups('&type=transaction.reversed')
    const error = 'There is no user … (… of …).'
    const one = {
      event_type: 'transaction.reversed',
      error_code: '500',
      error,
      came_back: 0,
      redrive_id: null,
    }
    expect(found).toMatchObject([
      { ...one, trigger: 'queue-web-hooks', stored: 1 },
      { ...one, trigger: 'notify-reversal', stored: 2, first_at: expect.any(String) },
    ])
    const eventsOf = (list: { event_id: string }[]) => list.map(({ event_id: id }) => id).reverse()
    expect(eventsOf(await letters(`group=${found[1].id}`))).toEqual(ids.slice(0, 2))
    expect(eventsOf(await letters(`error=${encodeURIComponent(error)}`))).toEqual(ids)
    expect(eventsOf(await letters('trigger=queue-web-hooks&status=stored'))).toEqual(ids.slice(2))
    expect(await letters('type=transaction.reversed&status=redriven')).toEqual([])
    expect(await groups('&trigger=nobody')).toEqual([])
  })

  test('count each letter once, whatever happens to it', async () => {
    const of = (said: string) => `cause ${said} ${randomUUID().replace(/[^a-z]/g, '')}`
    const [before, after] = [of('before'), of('after')]
    const id = randomUUID()
    const counts = async (error: string) => {
      const found = (await groups()).find((group: { error: string }) => group.error === error)
      return found && [found.stored, found.redriven, found.discarded, found.came_back]
    }
    await deliverLetter(host, { id, said: before })
    await deliverLetter(host, { id, said: before })
    expect(await counts(before)).toEqual([1, 0, 0, 0])
    const letter = await find(id)
    await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, { token: operator })
    expect(await counts(before)).toEqual([0, 1, 0, 0])
    // It fails for another reason now.
    await deliverLetter(host, { id, said: after })
    expect([await counts(before), await counts(after)]).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 1],
    ])
    expect(await find(id)).toMatchObject({ status: 'stored', came_back_at: expect.any(String) })
    expect((await groups('&status=stored')).some(({ error }: { error: string }) => error === before)).toBe(
      false,
    )
  })
})

describe('what the bank has not signed', () => {
  const ofBank = (id: string, type: string) => {
    const attributes = { source: '/microbank/payments', id, type, time: '2026-01-05T09:30:00.120Z' }
    const signature = signEvent(attributes, '{}', eventKey('payments'))
    return { 'ce-type': type, 'ce-time': attributes.time, 'ce-signature': signature }
  }
  const groupOf = async (type: string) =>
    (await host.request('GET', `/dead-letters/groups?type=${type}`, { token: operator })).body.items[0]
  /** Stores letters beside the function, in the group of a type. */
  const fill = (type: string, letters: number, bytes: number) =>
    host.tools.db.query({
      text: `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, bytes,
          group_id)
        select '/', n::text, $1, '{}', '', convert_to($1, 'UTF8'), $3, dead_letter_group('notify', $1, '500', '…')
        from generate_series(1, $2::integer) n`,
      values: [type, letters, bytes],
    })
  const empty = () => host.tools.db.query({ text: `delete from dead_letters where event_source = '/'` })
  const arrive = (id: string, type: string, headers = {}) =>
    deliver(id, '{}', {
      ...{ 'ce-type': type, 'ce-knativeerrordata': Buffer.from('{"detail":"7"}').toString('base64') },
      ...headers,
    })
  afterEach(empty)

  test.each([
    ['as many of a group as are kept', 'forged.many', 1_000, 0],
    ['as many bytes of a group', 'forged.large', 1, 4 * 1024 * 1024],
  ])('is counted and not kept beyond %s; what it has signed is', async (_what, type, letters, bytes) => {
    await fill(type, letters, bytes)
    const [forged, genuine] = [randomUUID(), randomUUID()]
    expect([await arrive(forged, type), await arrive(genuine, type, ofBank(genuine, type))]).toMatchObject([
      { status: 204 },
      { status: 204 },
    ])
    expect(await find(forged)).toBeUndefined()
    expect(await find(genuine)).toMatchObject({ is_signed: true, status: 'stored' })
    expect(await groupOf(type)).toMatchObject({ dropped: 1, stored: letters + 1 })
    // Another group has room, and what is there already is counted as before.
    const other = randomUUID()
    await arrive(other, `${type}.too`)
    expect(await find(other)).toMatchObject({ is_signed: false })
    await empty()
    await arrive(forged, type)
    await fill(type, letters, bytes)
    await arrive(forged, type)
    await empty()
    expect(await find(forged)).toMatchObject({ deliveries: 2 })
    expect(await groupOf(type)).toMatchObject({ dropped: 1 })
  })

  test.each([
    ['letters', 'forged.all', 900, 0],
    ['bytes', 'forged.weight', 2, 3 * 1024 * 1024],
  ])('has an end of %s in all groups together', async (_what, type, letters, bytes) => {
    for (let n = 0; n < 12; n++) await fill(`${type}.${n}`, letters, bytes)
    const [forged, genuine] = [randomUUID(), randomUUID()]
    await arrive(forged, type)
    await arrive(genuine, type, ofBank(genuine, type))
    expect([await find(forged), (await find(genuine))?.is_signed]).toEqual([undefined, true])
    expect(await groupOf(type)).toMatchObject({ dropped: 1, stored: 1 })
  })

  test('a very long type is cut in its group', async () => {
    const id = randomUUID()
    await arrive(id, 'x'.repeat(5_000))
    const letter = await find(id)
    const { body } = await host.request('GET', '/dead-letters/groups?limit=200', { token: operator })
    const group = body.items.find((one: { id: string }) => one.id === letter?.group_id)
    expect([String(letter?.event_type).length, group.event_type.length]).toEqual([5_000, 1_000])
  })
})

describe('discarding', () => {
  const discard = (id: unknown, body: object = { reason: 'Sent by a test.' }, key?: string) =>
    host.request('POST', `/dead-letters/${String(id)}/discard`, {
      ...{ token: operator, body },
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    })
  const store = async () => {
    const id = randomUUID()
    await deliverLetter(host, { id })
    return String((await find(id))?.id)
  }
  const show = (id: string) => host.request('GET', `/dead-letters/${id}`, { token: operator })

  test('keeps the letter with the reason, and it can be redriven later', async () => {
    const id = await store()
    const [first, again] = [await discard(id, undefined, id), await discard(id, undefined, id)]
    expect([first.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect(first.body).toMatchObject({ status: 'discarded', discard_reason: 'Sent by a test.' })
    expect((await show(id)).body).toEqual(first.body)
    expect(await discard(id)).toMatchObject({
      status: 409,
      body: { type: 'https://microbank.dev/problems/dead-letter-not-waiting' },
    })
    const redriven = await host.request('POST', `/dead-letters/${id}/redrive`, { token: operator })
    expect([redriven.status, redriven.body.status]).toEqual([202, 'redriven'])
  })

  test('needs a reason, an operator, and a letter', async () => {
    const id = await store()
    for (const body of [{}, { reason: '' }, { reason: ' ' }, { reason: 'a\nb' }, { reason: 'a', all: true }])
      expect((await discard(id, body)).status).toBe(400)
    const customer = await token({ userId: randomUUID() })
    for (const [method, path] of [
      ['POST', `/dead-letters/${id}/discard`],
      ['GET', `/dead-letters/${id}`],
      ['GET', '/dead-letters/groups'],
    ] as const) {
      const body = method === 'POST' ? { reason: 'a' } : undefined
      const ask = (bearer?: string) =>
        host.request(method, path, { ...(body && { body }), ...(bearer && { token: bearer }) })
      expect([(await ask()).status, (await ask(customer)).status]).toEqual([401, 403])
    }
    expect([(await discard(randomUUID())).status, (await show(randomUUID())).status]).toEqual([404, 404])
    expect((await show(id)).body.status).toBe('stored')
  })
})
