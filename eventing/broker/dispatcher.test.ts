import { formatTraceparent, startSpan } from '../../monitoring/trace.ts'
import { until } from '../../tests/support/until.ts'
import { came, emptied, everything, overEveryQueue } from './contract.ts'
import { eventFromHttp } from '../http-binding.ts'
import { isSigned, signEvent } from '../signature.ts'
import { manifestsOf, quickly, type Subscriber } from './broker-fixture.ts'

/** The events that arrived at a path, in binary or structured mode. */
const receivedAt = ({ received }: Subscriber, path: string) =>
  received.filter((one) => one.path === path).map(({ headers, body }) => eventFromHttp(headers, body))

overEveryQueue('a Broker delivers', ({ start, subscriberThat, brokerOf }) => {
  test('an event again until the subscriber takes it', async () => {
    const { broker, subscriber } = await start(everything, (_, nth) => ({ status: nth < 3 ? 500 : 200 }))
    await broker.send()
    await came(subscriber, '/all', 3)
    await emptied(broker)
    expect(subscriber.received).toHaveLength(3)
  })

  test('an event with a span for each attempt, below whoever stated it, if that trace is sampled', async () => {
    const subscriber = await subscriberThat((_, nth) => ({ status: nth < 3 ? 503 : 200 }))
    const traced = manifestsOf([{ name: 'all', delivery: quickly(3) }])
    const broker = await brokerOf(traced, subscriber, true)
    const sampled = startSpan(undefined)
    await broker.send({ id: 'seen', traceparent: formatTraceparent(sampled) })
    await came(subscriber, '/all', 3)
    await emptied(broker)
    const spans = broker.trace(sampled.traceId)
    const common = { parentSpanId: sampled.spanId, name: 'deliver all', kind: 3 }
    expect(spans).toMatchObject([
      { ...common, status: { code: 2 } },
      { ...common, status: { code: 2 } },
      { ...common, status: { code: 0 } },
    ])
    const told = spans.map(({ attributes = [] }) =>
      Object.fromEntries(attributes.map(({ key, value }) => [key, value.intValue ?? value.stringValue])),
    )
    expect(told).toMatchObject([
      { 'microbank.attempt': 1, 'http.response.status_code': 503, 'microbank.next_attempt_ms': 10 },
      { 'microbank.attempt': 2, 'http.response.status_code': 503, 'microbank.next_attempt_ms': 20 },
      { 'microbank.attempt': 3, 'http.response.status_code': 200, 'cloudevents.event_id': 'seen' },
    ])
    expect(told[2]).not.toHaveProperty('microbank.next_attempt_ms')
    // The subscriber learns of the attempt, and keeps the event's own trace.
    expect(subscriber.received.map(({ headers }) => headers.traceparent)).toEqual(
      spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    )
    expect(subscriber.received[0]!.headers['ce-traceparent']).toBe(formatTraceparent(sampled))

    const unseen = formatTraceparent({ ...sampled, traceFlags: 0 })
    await broker.send({ id: 'unseen', traceparent: unseen })
    await came(subscriber, '/all', 6)
    expect(broker.trace(sampled.traceId)).toHaveLength(3)
    expect(subscriber.received[5]!.headers.traceparent).toBe(unseen)
  })

  test.each([
    [500, 4],
    [503, 4],
    [404, 4],
    [408, 4],
    [409, 4],
    [429, 4],
    [400, 1],
    [401, 1],
    [422, 1],
    [302, 1],
  ])(
    'an event that is answered %i in %i attempts, then keeps it as a dead letter',
    async (status, attempts) => {
      const sink = { ref: { kind: 'Service', name: 'sink' } }
      const { broker, subscriber } = await start(
        [{ name: 'refusing', delivery: quickly(3, { deadLetterSink: sink }) }],
        ({ path }) => (path === '/sink' ? { status: 200 } : { status, body: 'because' }),
      )
      await broker.send({ id: 'refused' }, '{"kept":true}')
      await came(subscriber, '/sink')
      expect(subscriber.ids('/refusing')).toHaveLength(attempts)
      const letter = subscriber.received.find((one) => one.path === '/sink')!
      expect(letter.body.toString()).toBe('{"kept":true}')
      expect(letter.headers).toMatchObject({
        'ce-id': 'refused',
        'ce-knativeerrordest': 'http://refusing.bank.svc.cluster.local/refusing',
        'ce-knativeerrorcode': String(status),
        'ce-knativeerrordata': Buffer.from('because').toString('base64'),
      })
    },
  )

  test('an event again after a time-out and after a broken connection', async () => {
    const never = new Promise<never>(() => undefined)
    const { broker, subscriber } = await start(
      // On a slow machine more of them are too late, and some don't even arrive.
      [{ name: 'slow', delivery: quickly(100, { timeout: 'PT0.1S' }) }],
      (_, nth) => (nth === 1 ? never : nth === 2 ? 'hang up' : { status: 200 }),
    )
    await broker.send()
    await came(subscriber, '/slow', 3)
    await until(async () => (await broker.status()).triggers[0]!.delivered === 1, { what: 'the delivery' })
  })

  test('a dead letter with all its attributes, even if they have the greatest length allowed', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'failing', delivery: quickly(0, { deadLetterSink: sink }) }],
      ({ path }) => ({ status: path === '/sink' ? 200 : 500, body: 'x'.repeat(5_000) }),
    )
    const long = 'l'.repeat(8_000)
    expect((await broker.send({ id: 'long', long })).status).toBe(202)
    await came(subscriber, '/sink')
    const { headers } = subscriber.received.find((one) => one.path === '/sink')!
    expect(headers).toMatchObject({ 'ce-id': 'long', 'ce-long': long })
    expect(headers['ce-knativeerrordata']).toHaveLength(1024)
  })

  test('a dead letter once its sink is up again', async () => {
    let isUp = false
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'failing', delivery: quickly(0, { deadLetterSink: sink }) }],
      ({ path }) => ({ status: path === '/sink' && isUp ? 200 : path === '/sink' ? 400 : 500 }),
    )
    await broker.send({ id: 'patient' })
    await came(subscriber, '/sink', 3)
    const kept = async () => {
      const [trigger] = (await broker.status()).triggers
      return trigger!.backlog === 0 && trigger!.deadLetters === 1
    }
    await until(kept, { what: 'the dead letter in its queue' })
    isUp = true
    await until(async () => (await broker.status()).triggers[0]!.deadLetters === 0)
    expect(new Set(subscriber.ids('/sink'))).toEqual(new Set(['patient']))
  })

  test('the dead letters behind one that its sink never takes, and keeps that one', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'failing', parallelism: 2, delivery: quickly(0, { deadLetterSink: sink }) }],
      ({ path, headers }) => ({
        status: path === '/sink' && !String(headers['ce-id']).startsWith('poison') ? 200 : 500,
      }),
    )
    const poison = ['poison-1', 'poison-2', 'poison-3', 'poison-4']
    for (const id of poison) await broker.send({ id })
    const times = (id: string) => subscriber.ids('/sink').filter((each) => each === id).length
    // Each was tried more than once, so together they fill all places.
    await until(() => poison.every((id) => times(id) > 1), { what: 'each poison event to be tried twice' })
    for (let i = 0; i < 5; i++) await broker.send({ id: `good-${i}` })
    await until(() => Array.from({ length: 5 }, (_, i) => times(`good-${i}`)).every((n) => n === 1))
    await until(async () => (await broker.status()).triggers[0]!.deadLetters === poison.length)
  })

  test('an event that headers cannot carry in structured mode, even if another program published it, and its dead letter too', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'failing', delivery: quickly(1, { deadLetterSink: sink }) }],
      ({ path }) => ({ status: path === '/sink' ? 200 : 500 }),
    )
    const envelope = { specversion: '1.0', source: '/elsewhere', type: 'tested' }
    const data = Buffer.from('{"a": 1.10}')
    const events = [
      { attributes: { ...envelope, id: 'media', datacontenttype: 'text/€' }, data },
      {
        attributes: { ...envelope, id: 'trace', traceparent: '€', datacontenttype: 'application/json' },
        data,
      },
      // In binary mode it would be taken for the event itself.
      {
        attributes: { ...envelope, id: 'nested', datacontenttype: 'Application/CloudEvents+json; a=b' },
        data: Buffer.from(JSON.stringify({ ...envelope, id: 'inner', data: 1 })),
      },
      {
        attributes: {
          ...envelope,
          id: 'long',
          long: 'l'.repeat(20_000),
          datacontenttype: 'application/json',
        },
        data,
      },
    ]
    for (const event of events) await broker.publish(event)
    for (const path of ['/failing', '/sink']) {
      await until(
        () => new Set(receivedAt(subscriber, path).map(({ attributes }) => attributes.id)).size === 4,
      )
      for (const { attributes, data: sent } of events) {
        const came = receivedAt(subscriber, path).find((each) => each.attributes.id === attributes.id)!
        expect(came.attributes).toMatchObject(attributes)
        expect(came.data.equals(sent)).toBe(true)
      }
    }
    await emptied(broker)
  })

  test('a signed event so that its signature stays valid, also as a dead letter', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'failing', delivery: quickly(0, { deadLetterSink: sink }) }],
      ({ path }) => ({ status: path === '/sink' ? 200 : 500 }),
    )
    const key = 'a key that is only good for tests, no more'
    const attributes = {
      id: 'signed',
      source: '/microbank/ledger',
      type: 'tested',
      subject: 'a "ü"',
      time: '2026-01-05T09:30:00.120Z',
      partitionkey: 'k',
    }
    const data = ' {"a" : 1.10}\n'
    const signature = signEvent(attributes, data, key)
    await broker.send({ ...attributes, subject: 'a%20%22%C3%BC%22', signature }, data)
    await came(subscriber, '/sink')
    for (const path of ['/failing', '/sink']) {
      const [event] = receivedAt(subscriber, path)
      expect([path, isSigned(event!, key), isSigned(event!, `${key}!`)]).toEqual([path, true, false])
    }
  })

  test('an event as often as the Trigger says, even if the clock is set forward in between', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const real = Date.now
    const { broker, subscriber } = await start(
      [{ name: 'failing', delivery: quickly(3, { deadLetterSink: sink }) }],
      ({ path }) => {
        if (path !== '/sink') Date.now = () => real() + 2 * 3600_000
        return { status: path === '/sink' ? 200 : 500 }
      },
    )
    try {
      await broker.send({ id: 'jumped' })
      await came(subscriber, '/sink')
      expect(subscriber.ids('/failing')).toHaveLength(4)
    } finally {
      Date.now = real
    }
  })

  test('a dead letter to the Broker’s sink only if the Trigger has no delivery of its own', async () => {
    const sink = { ref: { kind: 'Service', name: 'sink' } }
    const { broker, subscriber } = await start(
      [{ name: 'plain' }, { name: 'own', delivery: quickly(0) }],
      ({ path }) => ({ status: path === '/sink' ? 200 : 500 }),
      quickly(1, { deadLetterSink: sink }),
    )
    await broker.send({ id: 'x' })
    await came(subscriber, '/sink')
    const kept = async () => {
      const { triggers } = await broker.status()
      return triggers.find((trigger) => trigger.name === 'own')!.deadLetters === 1
    }
    await until(kept, { what: 'the dead letter without a sink' })
    expect(subscriber.ids('/plain')).toHaveLength(2)
    expect(subscriber.ids('/own')).toHaveLength(1)
    expect(subscriber.ids('/sink')).toHaveLength(1)
  })

  test('the reply of a subscriber to every Trigger that wants it', async () => {
    const reply = { 'ce-specversion': '1.0', 'ce-id': 'r1', 'ce-source': '/replier', 'ce-type': 'answered' }
    const { broker, subscriber } = await start(
      [
        { name: 'asked', filter: { type: 'tested' } },
        { name: 'answers', filter: { type: 'answered' } },
      ],
      ({ path }) =>
        path === '/asked'
          ? { status: 202, headers: { ...reply, 'content-type': 'text/plain' }, body: 'yes' }
          : { status: 200 },
    )
    await broker.send()
    await came(subscriber, '/answers')
    const received = subscriber.received.find((one) => one.path === '/answers')!
    expect(received.headers).toMatchObject({ ...reply, 'content-type': 'text/plain' })
    expect(received.body.toString()).toBe('yes')
  })

  test('an event with the trace context of its request, or with that of its source', async () => {
    const { broker, subscriber } = await start(everything)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await broker.send({ id: 'header' }, '{}', { headers: { traceparent, tracestate: 'bank=1' } })
    await came(subscriber, '/all')
    expect(subscriber.received[0]!.headers).toMatchObject({
      traceparent,
      tracestate: 'bank=1',
      'ce-traceparent': traceparent,
    })
    const origin = traceparent.replace('0af7', '1af7')
    await broker.send({ id: 'extension', traceparent: origin }, '{}', { headers: { traceparent } })
    await came(subscriber, '/all', 2)
    expect(subscriber.received[1]!.headers).toMatchObject({ traceparent: origin, 'ce-traceparent': origin })
  })

  test('as many events at once as the Trigger allows, and no more', async () => {
    let atOnce = 0
    let most = 0
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const { broker, subscriber } = await start([{ name: 'wide', parallelism: 4 }], async () => {
      most = Math.max(most, ++atOnce)
      await held
      atOnce--
      return { status: 200 }
    })
    for (let i = 0; i < 12; i++) await broker.send()
    await came(subscriber, '/wide', 4)
    await until(async () => (await broker.status()).triggers[0]!.backlog === 12)
    letGo()
    await came(subscriber, '/wide', 12)
    await emptied(broker)
    expect(most).toBe(4)
    expect(subscriber.received).toHaveLength(12)
  })

  test('2000 events, every one', async () => {
    const { broker, subscriber } = await start([{ name: 'many', parallelism: 50 }])
    const sent = Array.from({ length: 2_000 }, (_, i) => `m${i}`)
    const queue = [...sent]
    const sender = async () => {
      for (let id = queue.pop(); id; id = queue.pop()) expect((await broker.send({ id })).status).toBe(202)
    }
    await Promise.all(Array.from({ length: 50 }, sender))
    await until(() => new Set(subscriber.ids('/many')).size === sent.length)
    await emptied(broker)
  })
})
