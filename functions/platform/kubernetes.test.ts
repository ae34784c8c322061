import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate } from '../../tests/support/certificate.ts'
import { startFunction, token } from '../../tests/support/host.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { createKubernetesClient } from './kubernetes.ts'
import { startPlatform, type TestPlatform } from './platform-fixture.ts'
import platform from './platform.ts'

/** The Kubernetes API as a cluster has it: over TLS, for whoever has the token of a service account. */

const own = certificate()
const tokens: (string | undefined)[] = []
let folder: string
let bank: TestPlatform
let server: https.Server
let valid = 'first'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-account-'))
  bank = await startPlatform()
  server = https.createServer(own, (request, response) => {
    tokens.push(request.headers.authorization)
    if (request.headers.authorization !== `Bearer ${valid}`) return void response.writeHead(401).end('{}')
    void bank.api.ask(request.url!).then(({ status, body }) => {
      response.writeHead(status).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => {
  tokens.length = 0
  give('first')
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await bank.stop()
  rmSync(folder, { recursive: true })
})

/** Writes the token and the certificate as the kubelet does. */
function give(text: string, ca = own.cert): void {
  writeFileSync(join(folder, 'token'), `${text}\n`)
  writeFileSync(join(folder, 'ca.crt'), ca)
}

const settings = (host = 'localhost') => ({
  KUBERNETES_API: `https://${host}:${(server.address() as AddressInfo).port}`,
  KUBERNETES_ACCOUNT: folder,
})
const client = (host?: string) =>
  createKubernetesClient({ ...settings(host), SERVICE_DOMAIN: 'bank.svc.cluster.local' })

test('shows what runs over TLS, with the token of the service account', async () => {
  const running = await startFunction(platform, settings(), bank.catalogue)
  const asOperator = await token({ userId: randomUUID(), role: 'operator' })
  const { status, body } = await running.request('GET', '/platform/topology', { token: asOperator })
  await running.stop()
  expect([status, body.runtime]).toEqual([200, 'cluster'])
  expect(body.functions).toHaveLength(bank.manifests.services.length)
  expect([...new Set(tokens)]).toEqual(['Bearer first'])
})

test('takes each new token from its file', async () => {
  const api = client()
  await api.list('services')
  valid = 'second'
  await expect(api.list('services')).rejects.toThrow(UnavailableError)
  give('second')
  expect((await api.list('services')).items.length).toBeGreaterThan(0)
  expect(tokens).toEqual(['Bearer first', 'Bearer first', 'Bearer second'])
  valid = 'first'
})

test('sends no token to a server whose certificate another authority signed, or that has another name', async () => {
  give('first', certificate().cert)
  await expect(client().list('services')).rejects.toThrow(UnavailableError)
  give('first')
  await expect(client('127.0.0.1').list('services')).rejects.toThrow(UnavailableError)
  expect(tokens).toEqual([])
})

test('a container without the token, and an answer that is no list, count as an API that does not answer', async () => {
  rmSync(join(folder, 'token'))
  await expect(client().list('services')).rejects.toThrow(UnavailableError)
  give('first')
  const ask = jest.spyOn(bank.api, 'ask')
  for (const body of [{}, null, [], 'no']) {
    ask.mockResolvedValueOnce({ status: 200, body })
    await expect(client().list('services')).rejects.toThrow(UnavailableError)
  }
  ask.mockRestore()
})
