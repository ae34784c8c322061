import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { callsNow, recordedFetch } from './calls.ts'

let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const made = request.headers['x-made']
    response.writeHead(200, made === undefined ? {} : { location: String(made) }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test.each([
  { email: 'ada@example.com', password: 'x' },
  { current_password: 'x', new_password: 'y' },
  { email: 'ada@example.com', current_password: 'x' },
  { token: 'x', new_password: 'y' },
  { code: 'x' },
  { url: 'https://example.com', secret: 'x' },
])('the drawer keeps no body with a secret: %j', async (body) => {
  await recordedFetch(url, { method: 'POST', body: JSON.stringify(body) })
  expect(callsNow()[0]).toMatchObject({ method: 'POST', status: 200 })
  expect(callsNow()[0]!.body).toBeUndefined()
})

test('it keeps others, also one that says the word', async () => {
  const body = JSON.stringify({ amount: '1.00', reference: 'password, code' })
  await recordedFetch(url, { method: 'POST', body })
  expect(callsNow()[0]!.body).toBe(body)
})

const ID = '01936f0d-11d2-7b1a-a1a4-2f0f6a1c9b55'
test.each([
  ['made one', '/api/transactions', `/api/transactions/${ID}`, ID],
  ['read one', `/api/transactions/${ID}/life?x=1`, undefined, ID],
  ['made an account', '/api/accounts', `/api/accounts/${ID}`, undefined],
  ['tried one', '/api/transactions/dry-run', undefined, undefined],
])('a call that %s knows its transaction', async (_what, path, made, transaction) => {
  // In a browser, the path alone is asked for.
  const real = globalThis.fetch
  globalThis.fetch = (input, given) => real(url + String(input), given)
  await recordedFetch(path, made === undefined ? {} : { headers: { 'x-made': made } })
  globalThis.fetch = real
  expect(callsNow()[0]!.transaction).toBe(transaction)
})
