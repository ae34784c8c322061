import { readFileSync } from 'node:fs'
import { createIngress } from '../eventing/broker/ingress.ts'
import { noMetrics } from '../eventing/broker/metrics.ts'
import frontDoor from '../functions/web/front-door.ts'
import { answer } from '../functions/host/http/answer.ts'
import { readBytes } from '../functions/host/http/body.ts'
import { catalogueOf } from '../functions/host/catalogue.ts'
import { operation } from '../functions/host/operation.ts'
import { server, startGateway } from '../knative/local/gateway/gateway-fixture.ts'
import { createLog } from '../monitoring/log.ts'
import { startFunction, type TestFunction } from './support/host.ts'
import { raw } from './support/raw.ts'
import { operations } from './support/repository.ts'
import { bodies, disputed, SMUGGLED, type Method } from './support/smuggling.ts'

/** No framing lets the bytes of one request become another, at any hop: nothing of a request's body arrives
 * anywhere as a request, and every answer goes to its own request. */

/** Returns a function that records what reaches it. */
const recorder = (name: string) =>
  server(`
    require('node:fs').appendFileSync(__dirname + '/seen', JSON.stringify(['${name}', request.method, request.url, request.headers.host]) + '\\n')
    response.end(request.url)`)

let gateway: Awaited<ReturnType<typeof startGateway>>
let door: TestFunction
let alone: TestFunction
const seenInside: string[] = []

/** Returns all requests that reached a function or the Broker, as lines. */
const seen = (): string => {
  let behind = ''
  try {
    behind = readFileSync(`${gateway.folder}/functions/seen`, 'utf8')
  } catch {
    // No request has arrived yet.
  }
  return behind + seenInside.join('\n')
}

beforeAll(async () => {
  const ingress = createIngress({
    publish: async (event) => void seenInside.push(JSON.stringify(event.attributes)),
    log: createLog({}, 'off'),
    metrics: noMetrics,
  })
  const names = ['accounts', 'users', 'login']
  gateway = await startGateway(
    [
      ...names.map((name) => ({ name, script: recorder(name) })),
      {
        name: 'notify',
        script: recorder('notify'),
        labels: { 'networking.knative.dev/visibility': 'cluster-local' },
      },
    ],
    new Map([['default', ingress]]),
  )
  const LOCAL_GATEWAY = `127.0.0.1:${gateway.internal.port}`
  door = await startFunction(frontDoor, { LOCAL_GATEWAY }, catalogueOf(await operations()))
  alone = await startFunction(
    operation({
      name: 'alone',
      context: 'web',
      summary: 'Records what reaches it',
      mount:
        () =>
        ({ request, response, path, search }) => {
          seenInside.push(`${request.method} ${path}?${search}`)
          readBytes(request).then(
            () => answer(response, { status: 200, body: `${path}?${search}` }),
            () => response.destroy(),
          )
          return undefined
        },
    }),
  )
})

afterAll(async () => {
  await door?.stop()
  await alone?.stop()
  await gateway?.stop()
})

interface Hop {
  port: () => number
  host: string
  GET: string
  DELETE: string
  POST: string
}

const hops: Record<string, Hop> = {
  'the front door': {
    port: () => door.port,
    host: 'bank.example',
    GET: '/api/accounts',
    DELETE: '/api/users/7',
    POST: '/api/auth/login',
  },
  'the public listener': {
    port: () => gateway.open.port,
    host: 'accounts.microbank.localhost',
    GET: '/a',
    DELETE: '/a',
    POST: '/a',
  },
  'the internal listener': {
    port: () => gateway.internal.port,
    host: 'accounts.bank.svc.cluster.local',
    GET: '/a',
    DELETE: '/a',
    POST: '/a',
  },
  'a function’s own port': { port: () => alone.port, host: 'alone', GET: '/a', DELETE: '/a', POST: '/a' },
  'the ingress': {
    port: () => gateway.open.port,
    host: 'default-broker-ingress.microbank.localhost',
    GET: '/',
    DELETE: '/',
    POST: '/',
  },
}

let marker = 0

/** Sends valid requests on connections of their own, which share the connections between hops. Each must get
 * its own answer. */
async function expectOwnAnswers({ port, host, GET }: Hop): Promise<void> {
  const paths = Array.from({ length: 4 }, () => `${GET}?limit=${++marker}`)
  const got = await Promise.all(
    paths.map(async (path) => {
      const { answers } = await raw(port(), `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, { count: 1 })
      return answers[0]?.body ?? ''
    }),
  )
  for (const [n, path] of paths.entries()) {
    if (GET === '/') expect(got[n]).toMatch(/method-not-allowed/)
    else expect(got[n]).toContain(path.replace('/api', ''))
  }
}

describe.each(Object.entries(hops))('%s', (_name, hop) => {
  const request = (method: string, headers: string, body: string): string => {
    const path = hop[method === 'HEAD' ? 'GET' : (method as Method)]
    return `${method} ${path} HTTP/1.1\r\nhost: ${hop.host}\r\n${headers}\r\n${body}`
  }

  test.each(bodies)('%s: the body stays a body', async (_what, method, headers, body) => {
    const isHead = method === 'HEAD'
    const { answers } = await raw(hop.port(), request(method, headers, body), { count: 1, isHead })
    expect(answers).toHaveLength(1)
    await expectOwnAnswers(hop)
    expect(seen()).not.toMatch(/smuggled/)
  })

  test.each(disputed)('%s is refused, and the connection is closed', async (_what, method, headers, body) => {
    const { answers, isClosed } = await raw(hop.port(), request(method, headers, body))
    expect(answers.map(({ status }) => status)).toEqual([expect.any(Number)])
    expect(answers[0]!.status).toBeGreaterThanOrEqual(400)
    expect(answers[0]!.head).toMatch(/\r\nconnection: close/i)
    expect(isClosed).toBe(true)
    await expectOwnAnswers(hop)
    expect(seen()).not.toMatch(/smuggled/)
  })
})

describe.each(Object.entries(hops).slice(0, 2))('%s, from outside', (_name, hop) => {
  const { host, GET, POST } = hop

  test.each([
    ['lines that end in LF', `GET ${GET} HTTP/1.1\nhost: ${host}\n\n${SMUGGLED}`],
    [
      'an upgrade',
      `GET ${GET} HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${SMUGGLED}`,
    ],
    ['CONNECT', `CONNECT notify.bank.svc.cluster.local:80 HTTP/1.1\r\nhost: ${host}\r\n\r\n${SMUGGLED}`],
    [
      'the absolute form with another host',
      `POST http://notify.bank.svc.cluster.local${POST}?smuggled HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`,
    ],
    [
      'a second Host',
      `POST /events?smuggled HTTP/1.1\r\nhost: ${host}x\r\nhost: notify.bank.svc.cluster.local\r\ncontent-length: 0\r\n\r\n`,
    ],
    ['a line break in the path', `GET ${GET}?a\r\nhost: notify.bank.svc.cluster.local\r\n\r\n`],
    ['pipelined to a hidden host', `GET ${GET} HTTP/1.1\r\nhost: ${host}\r\n\r\n${SMUGGLED}`],
  ])('%s reaches no hidden function', async (_what, text) => {
    await raw(hop.port(), text, { count: 2, timeoutMs: 1_500 })
    await expectOwnAnswers(hop)
    expect(seen()).not.toMatch(/smuggled/)
  })

  test.each([
    ['another', `${host}x`],
    ['the same', host],
  ])('a second Host, %s, is refused, and the connection is closed', async (_what, second) => {
    const { answers, isClosed } = await raw(
      hop.port(),
      `GET ${GET} HTTP/1.1\r\nhost: ${host}\r\nHost: ${second}\r\n\r\n${SMUGGLED}`,
    )
    expect(answers.map(({ status }) => status)).toEqual([400])
    expect(isClosed).toBe(true)
    expect(seen()).not.toMatch(/smuggled/)
  })

  test('pipelined requests are answered in their order', async () => {
    const paths = Array.from({ length: 5 }, () => `${GET}?limit=${++marker}`)
    const text = paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`).join('')
    const { answers } = await raw(hop.port(), text, { count: 5 })
    expect(answers.map(({ body }) => body)).toEqual(paths.map((path) => path.replace('/api', '')))
  })

  test('rubbish after a waiting request does not take the place of its answer', async () => {
    const { answers, isClosed } = await raw(
      hop.port(),
      `GET ${GET}?limit=first HTTP/1.1\r\nhost: ${host}\r\n\r\nrubbish\r\n\r\n`,
    )
    expect(isClosed).toBe(true)
    for (const { status, body } of answers)
      expect([status, body]).toEqual([200, expect.stringContaining('first')])
  })

  test('the header Connection removes no header of the platform or the caller', async () => {
    const named = 'authorization, x-forwarded-for, traceparent, host, content-type, idempotency-key'
    const { answers } = await raw(
      hop.port(),
      `GET ${GET} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${named}\r\n\r\n`,
      { count: 1 },
    )
    expect(answers[0]?.status).toBe(200)
  })
})
