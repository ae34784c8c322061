import net, { type AddressInfo, type Socket } from 'node:net'
import { createFunctionClient } from './call.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import { createSend, type Send } from './send.ts'

let peer: net.Server
const sockets: Socket[] = []
let onRequest: (socket: Socket) => void
let send: Send

beforeAll(async () => {
  peer = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', () => onRequest(socket))
  })
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve))
})

beforeEach(() => {
  send = createSend({ host: '127.0.0.1', port: (peer.address() as AddressInfo).port }, 1)
})

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

afterAll(() => peer.close())

const ask = (timeoutMs = 200) =>
  send({ url: 'http://accounts.bank.svc.cluster.local/accounts', method: 'GET', timeoutMs })

const trickle = (socket: Socket): void => {
  socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n')
  const timer = setInterval(() => socket.write('x'), 10)
  socket.on('close', () => clearInterval(timer))
}

test.each<[string, (socket: Socket) => void]>([
  ['says nothing', () => undefined],
  ['stops in its headers', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-le')],
  ['stops in its body', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"a":')],
  [
    'stops between chunks',
    (socket) => void socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'),
  ],
  ['never ends its body', trickle],
  ['sends nothing but 100 Continue', (socket) => void socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
])('a server that %s is given up in time', async (_what, behaviour) => {
  onRequest = behaviour
  await expect(ask()).rejects.toThrow(UnavailableError)
  // The connection is not used again.
  onRequest = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
  expect((await ask(90_000)).body.toString()).toBe('{}')
})

test('the time-out includes the wait for a connection', async () => {
  onRequest = () => undefined
  const first = ask(2_000)
  const since = performance.now()
  await expect(ask(100)).rejects.toThrow(UnavailableError)
  await expect(first).rejects.toThrow(UnavailableError)
  expect(performance.now() - since).toBeGreaterThan(1_000)
})

test('the refusal names no host or port; the log gets them as the cause', async () => {
  onRequest = (socket) => void socket.destroy()
  const error = await ask(90_000).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  expect(error?.message).toBe('another part of the bank did not answer')
  expect(String(error?.cause)).toMatch(
    /no answer from accounts\.bank\.svc\.cluster\.local: .*(hang up|ECONNRESET)/,
  )
})

test('all attempts of a call between functions together keep within its time limit', async () => {
  const asked: number[] = []
  const call = createFunctionClient(
    Object.assign(
      async ({ timeoutMs }: { timeoutMs: number }) => {
        asked.push(timeoutMs)
        throw new UnavailableError('another part of the bank did not answer')
      },
      { pipeline: send.pipeline },
    ),
    'bank.svc.cluster.local',
  )
  await expect(call('accounts', { path: '/accounts', traceparent: '' })).rejects.toThrow(UnavailableError)
  expect(asked).toHaveLength(3)
  for (const timeoutMs of asked) expect(timeoutMs).toBeLessThanOrEqual(10_000)
})
