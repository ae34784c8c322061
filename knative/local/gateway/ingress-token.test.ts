import type { IncomingMessage, ServerResponse } from 'node:http'
import { networkInterfaces } from 'node:os'
import { request } from '../../../tests/support/host.ts'
import { Meter } from '../../../monitoring/meter/meter.ts'
import { createLog } from '../../../monitoring/log.ts'
import { mayPublish } from './ingress-token.ts'
import { openListener, publicHandler } from './router.ts'

const TOKEN = 'the-token-of-this-data-folder'

const from = (localAddress: string, remoteAddress: string, authorization?: string) =>
  ({ socket: { localAddress, remoteAddress }, headers: { authorization } }) as unknown as IncomingMessage

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['::ffff:127.0.0.1', '::ffff:127.0.0.1'],
])('from %s to %s, which is this machine, anyone may publish', (local, remote) => {
  expect(mayPublish(from(local, remote), TOKEN)).toBe(true)
})

test.each([
  ['192.0.2.1', '192.0.2.9'],
  ['127.0.0.1', '192.0.2.9'],
  ['192.0.2.1', '127.0.0.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.9'],
  ['2001:db8::1', '2001:db8::2'],
  ['127.0.0.1.example', '127.0.0.1'],
])('at %s from %s only who has the token may', (local, remote) => {
  for (const given of [undefined, '', 'Bearer', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, 'Bearer undefined'])
    expect([given, mayPublish(from(local, remote, given), 'secret')]).toEqual([given, false])
  expect(mayPublish(from(local, remote, 'Bearer secret'), 'secret')).toBe(true)
  expect(mayPublish(from(local, remote, 'Bearer undefined'), undefined)).toBe(false)
})

test('the public port asks for it on a network address, but not on loopback', async () => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address
  const ingress = (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(202).end()
  const listener = await openListener(
    publicHandler({
      services: new Map(),
      brokers: new Map([['default', ingress]]),
      ingressToken: 'secret',
      status: async () => ({}),
      meter: new Meter({ log: createLog({}, 'off'), version: '1' }),
      log: createLog({}, 'off'),
    }),
    0,
    ['0.0.0.0'],
  )
  const publish = async (address: string, token?: string) =>
    request('POST', `http://${address}:${listener.port}/`, {
      headers: { host: 'default-broker-ingress.microbank.localhost' },
      ...(token && { token }),
    })
  try {
    expect((await publish('127.0.0.1')).status).toBe(202)
    // A machine without a network has no other address.
    if (!own) return
    const refused = await publish(own)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(refused.body.type).toBe('https://microbank.dev/problems/unauthenticated')
    expect((await publish(own, 'wrong')).status).toBe(401)
    expect((await publish(own, 'secret')).status).toBe(202)
  } finally {
    await listener.stop(0)
  }
})
