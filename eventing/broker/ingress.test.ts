import { came, emptied, everything, overEveryQueue } from './contract.ts'

overEveryQueue('a Broker takes events', ({ start }) => {
  test('in binary mode, with 202 and an empty body, and delivers them with all attributes', async () => {
    const { broker, subscriber } = await start(everything)
    const attributes = {
      id: 'e-1',
      source: '/microbank/ledger',
      type: 'transaction.completed',
      subject: 'a b "ü" 100%',
      time: '2026-08-01T10:00:00.123456Z',
      dataschema: 'https://microbank.dev/events/transaction.completed/1',
      partitionkey: 'k1',
    }
    const answer = await broker.send({ ...attributes, subject: 'a%20b%20%22%C3%BC%22%20100%25' }, '{"a":1}')
    expect([answer.status, await answer.text()]).toEqual([202, ''])
    await came(subscriber, '/all')
    const { headers, body } = subscriber.received[0]!
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': attributes.id,
      'ce-source': attributes.source,
      'ce-type': attributes.type,
      'ce-subject': 'a%20b%20%22%C3%BC%22%20100%25',
      'ce-time': attributes.time,
      'ce-dataschema': attributes.dataschema,
      'ce-partitionkey': attributes.partitionkey,
      'content-type': 'application/json',
      prefer: 'reply',
      host: 'all.bank.svc.cluster.local',
    })
    expect(body.toString()).toBe('{"a":1}')
  })

  test('in structured mode, and delivers every digit of the data as it was written', async () => {
    const { broker, subscriber } = await start(everything)
    const body =
      '{"specversion":"1.0","id":"s1","source":"/tests","type":"tested","flag":true,"count":7,"none":null,' +
      '"data": { "amount": 12345678901234567890.10, "text": "}\\"" } }'
    const answer = await broker.send({}, body, {
      headers: { 'content-type': 'application/cloudevents+json' },
    })
    expect(answer.status).toBe(202)
    await came(subscriber, '/all')
    const received = subscriber.received[0]!
    expect(received.body.toString()).toBe('{ "amount": 12345678901234567890.10, "text": "}\\"" }')
    expect(received.headers).toMatchObject({
      'ce-id': 's1',
      'ce-flag': 'true',
      'ce-count': '7',
      'content-type': 'application/json',
    })
    expect(received.headers).not.toHaveProperty('ce-none')
  })

  test.each([
    ['binary', Buffer.from([0, 255, 254, 10, 13, 0, 128]), 'application/octet-stream'],
    ['UTF-8', Buffer.from('{"text":"Grüße, 世界 \u2028"}\n'), 'application/json; charset=utf-8'],
    ['invalid by its type', Buffer.from('{not json'), 'application/json'],
    ['empty', Buffer.alloc(0), 'text/plain'],
    ['1 MiB', Buffer.alloc(1024 * 1024, 'x'), 'text/plain'],
  ])('with data that is %s, which arrives byte for byte', async (_, data, contentType) => {
    const { broker, subscriber } = await start(everything)
    const answer = await broker.send({}, data, { headers: { 'content-type': contentType } })
    expect(answer.status).toBe(202)
    await came(subscriber, '/all')
    expect(subscriber.received[0]!.body.equals(data)).toBe(true)
    expect(subscriber.received[0]!.headers['content-type']).toBe(contentType)
  })

  test('that no Trigger wants, with 202', async () => {
    const { broker, subscriber } = await start([{ name: 'picky', filter: { type: 'other' } }])
    expect((await broker.send()).status).toBe(202)
    expect((await broker.send({ type: 'other', id: 'wanted' })).status).toBe(202)
    await came(subscriber, '/picky')
    expect(subscriber.received.map((one) => one.headers['ce-id'])).toEqual(['wanted'])
  })

  test('only by POST on /, well-formed and up to 1 MiB', async () => {
    const { broker, subscriber } = await start(everything)
    const statusOf = async (answer: Promise<Response>) => (await answer).status
    const get = await fetch(broker.url)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await get.json()).toMatchObject({
      type: expect.any(String),
      status: 405,
      detail: expect.any(String),
    })
    expect(await statusOf(fetch(`${broker.url}/other`, { method: 'POST', body: '{}' }))).toBe(404)
    expect(await statusOf(fetch(`${broker.url}/?a=1`, { method: 'POST', body: '{}' }))).toBe(404)
    expect(await statusOf(fetch(broker.url, { method: 'POST', body: 'rubbish' }))).toBe(400)
    for (const missing of ['id', 'source', 'type', 'specversion'])
      expect(await statusOf(broker.send({ [missing]: '' }))).toBe(400)
    for (const wrong of [
      { specversion: '0.3' },
      { time: 'noon' },
      { source: 'a b' },
      { data: '1' },
      { x_y: '1' },
    ])
      expect(await statusOf(broker.send(wrong))).toBe(400)
    const structured = { headers: { 'content-type': 'application/cloudevents+json' } }
    for (const body of ['', '{', '[]', '{"specversion":"1.0"}'])
      expect(await statusOf(broker.send({}, body, structured))).toBe(400)
    expect(await statusOf(broker.send({}, Buffer.alloc(1024 * 1024 + 1)))).toBe(413)
    await broker.send({ id: 'good' })
    await came(subscriber, '/all')
    expect(subscriber.ids('/all')).toEqual(['good'])
  })

  test('for each Trigger whose whole filter matches, extensions included', async () => {
    const { broker, subscriber } = await start([
      { name: 'type-only', filter: { type: 'a' } },
      { name: 'two', filter: { type: 'a', source: '/s' } },
      { name: 'extension', filter: { tier: 'gold' } },
      { name: 'unfiltered' },
    ])
    await broker.send({ id: '1', type: 'a', source: '/s' })
    await broker.send({ id: '2', type: 'a', source: '/other', tier: 'gold' })
    await broker.send({ id: '3', type: 'b', source: '/s', tier: 'silver' })
    for (const [path, count] of Object.entries({ '/type-only': 2, '/two': 1, '/extension': 1 }))
      await came(subscriber, path, count)
    await came(subscriber, '/unfiltered', 3)
    await emptied(broker)
    const idsAt = (path: string) => subscriber.ids(path).sort()
    expect(idsAt('/type-only')).toEqual(['1', '2'])
    expect(idsAt('/two')).toEqual(['1'])
    expect(idsAt('/extension')).toEqual(['2'])
    expect(idsAt('/unfiltered')).toEqual(['1', '2', '3'])
  })
})
