import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { callsNow, recordedFetch } from './calls.ts'

let server: Server
let url: string
beforeAll(async () => {
  server = createServer((_request, response) => void response.end())
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
