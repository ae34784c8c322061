import net, { type AddressInfo } from 'node:net'
import { rulesFor, type AddressRules } from './addresses.ts'
import { postWebHook } from './post-web-hook.ts'
import { startReceiver, type Receiver } from './web-hooks-fixture.ts'

let receiver: Receiver
beforeEach(async () => (receiver = await startReceiver()))
afterEach(() => receiver.close())

const laptop = rulesFor('allowed')

const post = (url = receiver.url, rules: AddressRules = laptop, timeoutMs = 5_000) =>
  postWebHook({ url, headers: { 'webhook-id': 'a' }, body: '{"a":"é"}', timeoutMs }, rules)

test('the body arrives as it is, and any 2xx is success', async () => {
  for (const status of [200, 201, 202, 204, 299]) {
    receiver.answer = (response) => response.writeHead(status).end(status === 204 ? undefined : 'thanks')
    const outcome = await post()
    expect(outcome).toMatchObject({ isDelivered: true, httpStatus: status, error: null })
    expect(outcome.answer).toBe(status === 204 ? '' : 'thanks')
  }
  expect(receiver.received[0]).toMatchObject({
    path: '/hook',
    body: '{"a":"é"}',
    headers: { 'webhook-id': 'a', 'content-length': '10' },
  })
})

test.each([400, 404, 410, 429, 500, 503])('%i is a failure', async (status) => {
  receiver.answer = (response) => response.writeHead(status).end('no')
  expect(await post()).toMatchObject({ isDelivered: false, httpStatus: status, answer: 'no' })
})

test.each([301, 302, 303, 307, 308])('%i is not followed, wherever it leads', async (status) => {
  const other = await startReceiver()
  receiver.answer = (response) => response.writeHead(status, { location: other.url }).end()
  const outcome = await post()
  expect(outcome).toMatchObject({ isDelivered: false, httpStatus: status })
  expect(outcome.error).toContain('redirects are not followed')
  expect(other.received).toEqual([])
  await other.close()
})

test('a receiver that never answers is given up after the time-out', async () => {
  receiver.answer = () => {}
  expect(await post(receiver.url, laptop, 200)).toMatchObject({
    isDelivered: false,
    httpStatus: null,
    error: 'no answer within 200 ms',
  })
})

test('so is one that sends its head byte by byte', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    const timer = setInterval(() => socket.write('H'), 20)
    socket.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const outcome = await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, laptop, 200)
  expect(outcome).toMatchObject({ isDelivered: false, httpStatus: null })
  await new Promise((resolve) => server.close(resolve))
})

test('of an endless answer only the beginning is read, and its status counts', async () => {
  let written = 0
  receiver.answer = (response) => {
    response.writeHead(200)
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) written++
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }
  const outcome = await post()
  expect(outcome).toMatchObject({ isDelivered: true, httpStatus: 200, answer: 'x'.repeat(500) })
  // What the sockets' buffers hold, and no more.
  expect(written * 65_536).toBeLessThan(20_000_000)
})

test('an answer whose body never ends counts by its status', async () => {
  receiver.answer = (response) => void response.writeHead(200).write('half of')
  // Long enough for the beginning, also on a busy machine.
  expect(await post(receiver.url, laptop, 3_000)).toMatchObject({
    isDelivered: true,
    httpStatus: 200,
    answer: 'half of',
  })
})

test('NUL and bytes that are no text are stored as text', async () => {
  receiver.answer = (response) => response.writeHead(500).end(Buffer.from([65, 0, 255, 66]))
  expect((await post()).answer).toBe('A\uFFFD\uFFFDB')
})

test('a broken connection, a closed port and rubbish are failures that say what they are', async () => {
  receiver.answer = (response) => response.socket?.resetAndDestroy()
  expect(await post()).toMatchObject({ httpStatus: null, error: 'the connection broke' })
  expect(await post('http://127.0.0.1:1/')).toMatchObject({ error: 'the connection was refused' })
  const server = net.createServer((socket) =>
    socket
      .resume()
      .on('error', () => {})
      .end('220 smtp.example.com ESMTP\r\n'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await post(`http://127.0.0.1:${port}/`)).toMatchObject({ error: 'it did not answer with HTTP' })
  await new Promise((resolve) => server.close(resolve))
})

test('https without a valid certificate is a failure', async () => {
  const outcome = await post(receiver.url.replace('http:', 'https:'))
  expect(outcome).toMatchObject({ isDelivered: false, httpStatus: null })
  expect(receiver.received).toEqual([])
})

describe('names', () => {
  /** Rules under which 127.0.0.2 is the internet, and everything else is private. */
  const lying = (...answers: string[][]): AddressRules & { asked: string[] } => {
    const asked: string[] = []
    return {
      asked,
      faultOf: () => undefined,
      isAllowed: (address) => address === '127.0.0.2',
      resolve: async (name) => answers[asked.push(name) - 1] ?? ['127.0.0.1'],
    }
  }
  const named = (): string => receiver.url.replace('127.0.0.1', 'hooks.example.com')
  let outside: Receiver
  beforeEach(async () => (outside = await startReceiver('127.0.0.2', Number(new URL(receiver.url).port))))
  afterEach(() => outside.close())

  test('a name that leads to a private address is not connected to', async () => {
    expect(await post(named(), lying(['127.0.0.1']))).toMatchObject({
      isDelivered: false,
      error: 'its address is not public',
    })
    expect(receiver.received).toEqual([])
  })

  test('nor one of which any address is private', async () => {
    for (const answer of [
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.2'],
    ])
      expect(await post(named(), lying(answer))).toMatchObject({ error: 'its address is not public' })
    expect([receiver.received, outside.received]).toEqual([[], []])
  })

  test('a name that means another address a moment later is asked for once, and the checked one is used', async () => {
    const rules = lying(['127.0.0.2'])
    expect(await post(named(), rules)).toMatchObject({ isDelivered: true })
    expect(rules.asked).toEqual(['hooks.example.com'])
    expect([receiver.received.length, outside.received.length]).toEqual([0, 1])
    expect(outside.received[0]!.headers.host).toBe(new URL(named()).host)
    // The next attempt asks again, and is refused.
    expect(await post(named(), rules)).toMatchObject({ error: 'its address is not public' })
    expect(receiver.received).toEqual([])
  })

  test('a name without an address, and a name server that never answers, are failures', async () => {
    expect(await post(named(), lying([]))).toMatchObject({ error: 'the name has no address' })
    const silent = { ...lying(), resolve: () => new Promise<string[]>(() => {}) }
    expect(await post(named(), silent, 200)).toMatchObject({ error: 'no answer within 200 ms' })
  })

  test('an address that was allowed when the hook was made is checked again', async () => {
    const outcome = await post(receiver.url, rulesFor('refused'))
    expect(outcome).toMatchObject({ isDelivered: false, error: 'the URL must begin with https://' })
    const address = await post(
      receiver.url.replace('http:', 'https:').replace(/:\d+/, ''),
      rulesFor('refused'),
    )
    expect(address.error).toBe('the URL must lead to a public address')
    expect(receiver.received).toEqual([])
  })
})
