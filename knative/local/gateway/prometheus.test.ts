import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folderIdentity } from '../data-folder/own-files.ts'
import { call } from './gateway-fixture.ts'
import { passToPrometheus } from './prometheus.ts'

/** What the gateway lets through to the Prometheus that watches the bank. */

const asked: string[] = []
let dataDir: string
let prometheus: Server
let gateway: Server
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const opened = async (server: Server): Promise<Server> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-prometheus-'))
  mkdirSync(join(dataDir, 'monitoring'))
  prometheus = await opened(
    createServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`)
      response.writeHead(422).end('{"status":"error"}')
    }),
  )
  gateway = await opened(createServer(passToPrometheus(dataDir)))
  const told = { port: portOf(prometheus), pid: process.pid, folder: folderIdentity(dataDir) }
  writeFileSync(join(dataDir, 'monitoring/prometheus.json'), JSON.stringify(told))
})
afterAll(() => {
  for (const server of [prometheus, gateway]) server.closeAllConnections()
  for (const server of [prometheus, gateway]) server.close()
  rmSync(dataDir, { recursive: true })
})

test('queries get the answer of Prometheus, and nothing else reaches it', async () => {
  const through = ['/api/v1/query?query=up', '/api/v1/query_range?query=up&start=1&end=2&step=1']
  for (const path of through) {
    const { status, text } = await call(portOf(gateway), { path })
    expect([path, status, text]).toEqual([path, 422, '{"status":"error"}'])
  }
  const others = ['/', '/-/quit', '/api/v1/status/config', '/api/v1/query']
  for (const path of others)
    expect([path, (await call(portOf(gateway), { path })).status]).toEqual([path, 404])
  const posted = await call(portOf(gateway), { method: 'POST', path: through[0]!, body: 'query=up' })
  expect(posted.status).toBe(404)
  expect(asked).toEqual(through.map((path) => `GET ${path}`))
})
