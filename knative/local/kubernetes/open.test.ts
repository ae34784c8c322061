import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../monitoring/log.ts'
import { openKubernetesApi } from './open.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-kubeconfig-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const open = (port: number | undefined, onProgress = (_sentence: string): void => {}) =>
  openKubernetesApi({
    ...{ read: async () => [], startedAt: new Date(), log: createLog({}, 'error') },
    ...{ port, dataDir, onProgress },
  })

/**
 * Takes a port; 0 takes any free one. Returns the port and a function that frees it; undefined if the port is
 * taken.
 */
const take = async (port: number) => {
  const server = createServer()
  return new Promise<{ port: number; giveBack: () => Promise<unknown> } | undefined>((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        giveBack: () => new Promise((closed) => server.close(closed)),
      }),
    )
  })
}

test('the kubeconfig leads to the port, and only its owner may read it', async () => {
  const api = await open(0)
  const { clusters, contexts } = JSON.parse(readFileSync(api.kubeconfig, 'utf8'))
  expect(clusters[0].cluster.server).toBe(`http://127.0.0.1:${api.port}`)
  expect(contexts[0].context.namespace).toBe('bank')
  expect(statSync(api.kubeconfig).mode & 0o777).toBe(0o600)
  await api.stop()
})

test('without a given port, another one is used and reported if 8081 is taken', async () => {
  const other = await take(8081)
  const said: string[] = []
  const api = await open(undefined, (sentence) => said.push(sentence))
  expect(api.port).not.toBe(8081)
  expect(said).toEqual([`port 8081 is taken: kubectl and kn are answered on port ${api.port}`])
  await api.stop()
  await other?.giveBack()
})

test('a given port that is taken is an error that says how to choose another', async () => {
  const other = (await take(0))!
  await expect(open(other.port)).rejects.toThrow(
    `Port ${other.port} is taken by another program. Choose another: npm start -- --kubernetes-port ${other.port + 10}`,
  )
  await other.giveBack()
})
