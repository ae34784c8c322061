import http, { type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { problemOf, startLiar, type Liar } from '../../../functions/web/client/testing/liar-fixture.ts'
import { createLog } from '../../../monitoring/log.ts'
import { openDemoDoor } from './demo-door.ts'

const KEY = 'a key of the front door'
let liar: Liar
let server: Server
let url: string

beforeAll(async () => {
  // No bank stands behind it: each request has its fate.
  liar = await startLiar('http://127.0.0.1:9')
  const secrets = {
    demoCustomer: { email: 'demo@microbank.localhost', password: 'a b c', isComplete: true },
    keepDemoCustomer: () => undefined,
  }
  const log = createLog({}, 'off')
  server = http.createServer(openDemoDoor({ key: KEY, secrets, log, url: liar.url }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo-customer`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  liar.stop()
})

const ask = async (key = KEY) => {
  const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` } })
  return [answer.status, answer.headers.get('retry-after'), ((await answer.json()) as { type: string }).type]
}

test('whoever has asked too often hears so, and when they may ask again', async () => {
  liar.fates = [problemOf(429, 'too-many-requests', { 'retry-after': '3600' })]
  expect(await ask()).toEqual([429, '3600', expect.stringMatching(/\/too-many-requests$/)])
})

test('any other failure is 503, and without the secret nothing is asked', async () => {
  liar.fates = [problemOf(400, 'invalid-input')]
  expect(await ask()).toEqual([503, null, expect.stringMatching(/\/unavailable$/)])
  const { length } = liar.requests
  expect((await ask('another'))[0]).toBe(401)
  expect(liar.requests).toHaveLength(length)
})
