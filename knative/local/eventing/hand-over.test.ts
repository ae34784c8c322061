import { ANSWER_BYTES_MAX } from '../../../eventing/broker/post.ts'
import { until } from '../../../tests/support/until.ts'
import { call, server, startGateway, type TestService } from '../gateway/gateway-fixture.ts'
import { handOver } from './hand-over.ts'

/** Answers what it got. `/large` answers with a megabyte more than is taken, `/never` with nothing. */
const echo: TestService = {
  name: 'echo',
  script: server(`
    if (request.url === '/never') return
    if (request.url === '/crash') process.exit(3)
    if (request.url === '/large') return response.end(Buffer.alloc(${ANSWER_BYTES_MAX} + 1))
    response.setHeader('x-answer', 'yes').statusCode = 202
    response.end(JSON.stringify({ pid, headers: request.headers, url: request.url, body: body.toString('hex') }))`),
}

async function withEcho(work: (gateway: Awaited<ReturnType<typeof startGateway>>) => Promise<void>) {
  const gateway = await startGateway([echo])
  try {
    await work(gateway)
  } finally {
    await gateway.stop()
  }
}

const eventOf = (path: string, body = Buffer.from([0, 255, 13, 10, 128])) => ({
  path,
  body,
  headers: {
    'ce-specversion': '1.0',
    'ce-subject': 'a%20b',
    'content-type': 'text/plain',
    'content-length': String(body.length),
    host: 'echo.bank.svc.cluster.local',
    prefer: 'reply',
  },
})

test('a function gets the same request as through the internal gateway, and its answer comes back', () =>
  withEcho(async ({ service, internal }) => {
    const { path, headers, body } = eventOf('/events')
    const overSocket = await call(internal.port, { method: 'POST', path, headers, body })
    const handed = await handOver(service('echo'))({ path, headers, body }).answer
    const { connection: _, ...expected } = overSocket.json<{ headers: Record<string, string> }>().headers
    const { headers: got, ...rest } = JSON.parse(handed.body.toString()) as typeof expected & {
      headers: Record<string, string>
    }
    delete got.connection
    expect(got).toEqual(expected)
    expect(rest).toEqual({ pid: expect.any(Number), url: '/events', body: '00ff0d0a80' })
    expect([handed.status, handed.headers['x-answer']]).toEqual([202, 'yes'])
  }))

test('events for a function without a process are held, and one process takes them all', () =>
  withEcho(async ({ service }) => {
    const take = handOver(service('echo'))
    const answers = await Promise.all(Array.from({ length: 20 }, () => take(eventOf('/events')).answer))
    const pids = answers.map(({ body }) => (JSON.parse(body.toString()) as { pid: number }).pid)
    expect(new Set(pids).size).toBe(1)
    expect(service('echo').status()).toMatchObject({ coldStarts: 1 })
    await until(() => service('echo').status().inFlight === 0, { what: 'no request in flight' })
  }))

test('an event that is given up leaves the function, and the place that it held', () =>
  withEcho(async ({ service }) => {
    const { answer, abort } = handOver(service('echo'))(eventOf('/never'))
    await until(() => service('echo').status().processes === 1, { what: 'a process' })
    abort(new Error('no answer within 5 ms'))
    await expect(answer).rejects.toThrow('no answer within 5 ms')
    await until(() => service('echo').status().inFlight === 0, { what: 'no request in flight' })
  }))

test('an answer that is too large fails, and a function that dies is a 502', () =>
  withEcho(async ({ service }) => {
    const take = handOver(service('echo'))
    await expect(take(eventOf('/large')).answer).rejects.toThrow(
      `the answer is over ${ANSWER_BYTES_MAX} bytes`,
    )
    const { status, body } = await take(eventOf('/crash')).answer
    expect([status, (JSON.parse(body.toString()) as { type: string }).type]).toEqual([
      502,
      'https://microbank.dev/problems/upstream-failed',
    ])
    await until(() => service('echo').status().inFlight === 0, { what: 'no request in flight' })
  }))
