import { createHash, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { ledgerSealed, type LedgerSealed } from '../../eventing/contracts/ledger.sealed.ts'
import { signCheckpoint } from '../host/transparency/checkpoint.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { deliverEvent } from '../../tests/support/events.ts'
import { sealKey, startFunction, type TestFunction } from '../../tests/support/host.ts'
import witnessSeals from './witness-seals.ts'

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const leaf = (text: string): Buffer => sha256(Buffer.of(0), Buffer.from(text))
const { keys } = JSON.parse(sealKey.privateJwks)

/** A tree of one leaf for each letter, by RFC 9162 as it is written. */
function root(letters: string): Buffer {
  if (letters.length === 1) return leaf(letters)
  const split = splitOf(letters)
  return sha256(Buffer.of(1), root(letters.slice(0, split)), root(letters.slice(split)))
}

const splitOf = (letters: string): number => 2 ** Math.ceil(Math.log2(letters.length) - 1)

function prove(size: number, letters: string, isWhole = true): Buffer[] {
  if (size === letters.length) return isWhole ? [] : [root(letters)]
  const split = splitOf(letters)
  const [left, right] = [letters.slice(0, split), letters.slice(split)]
  if (size <= split) return [...prove(size, left, isWhole), root(right)]
  return [...prove(size - split, right, false), root(left)]
}

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'))

/** A seal of the tree of these letters; the seal before was of the first `old` of them. */
const sealOf = (seal: number, letters: string, old: number): LedgerSealed => ({
  seal,
  size: letters.length,
  checkpoint: signCheckpoint({ size: BigInt(letters.length), root: root(letters) }, keys),
  old_size: old,
  consistency: old === 0 ? [] : hex(prove(old, letters)),
  timestamp: '2026-01-05T10:00:00.000Z',
})

/** The ledger's function seals: it proves what the tree of `truth` can. */
let gateway: Server
let truth = ''
let asked: string[] = []
let gatewayFails = false
let database: TestDatabase
let host: TestFunction

beforeAll(async () => {
  gateway = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`)
    const [from, to] = ['from', 'to'].map((name) =>
      Number(new URL(request.url!, 'http://x').searchParams.get(name)),
    )
    const status = gatewayFails ? 500 : to! > truth.length ? 400 : 200
    const consistency = status === 200 ? hex(prove(from!, truth.slice(0, to))) : undefined
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ from, to, consistency }))
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  gateway.closeAllConnections()
  gateway.close()
})

beforeEach(async () => {
  asked = []
  truth = 'abcdefghijklmnop'
  gatewayFails = false
  database = await testDatabase('notifications')
  host = await startFunction(witnessSeals, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  })
})
afterEach(async () => {
  await host.stop()
  await database.drop()
})

async function deliver(data: LedgerSealed, { id = randomUUID() as string, by = 'ledger' } = {}) {
  const answer = await deliverEvent(host, ledgerSealed as EventContract, data, { id, signedBy: by })
  return [answer.status, answer.body.detail].filter((part) => part !== undefined)
}

const kept = async (): Promise<number[]> => {
  const { body } = await host.request('GET', '/seals/witnessed')
  return body.items.map(({ size }: { size: number }) => size)
}

test('seals that grow one tree are kept, each once however often it comes, and anybody can read them', async () => {
  const id = randomUUID()
  expect(await deliver(sealOf(1, 'abc', 0))).toEqual([204])
  expect(await deliver(sealOf(2, 'abcdef', 3), { id })).toEqual([204])
  expect(await Promise.all([1, 2, 3].map(() => deliver(sealOf(2, 'abcdef', 3), { id })))).toEqual([
    [204],
    [204],
    [204],
  ])
  expect(await deliver(sealOf(3, 'abcdefgh', 6))).toEqual([204])
  expect(asked).toEqual([])
  const { body } = await host.request('GET', '/seals/witnessed?limit=1')
  expect(body.items).toEqual([
    {
      seal: 3,
      size: 8,
      root: root('abcdefgh').toString('hex'),
      checkpoint: sealOf(3, 'abcdefgh', 6).checkpoint,
      witnessed_at: expect.any(String),
    },
  ])
  expect(await kept()).toEqual([8, 6, 3])
  const { body: next } = await host.request('GET', `/seals/witnessed?limit=1&cursor=${body.next_cursor}`)
  expect(next.items).toMatchObject([{ seal: 2 }])
  expect((await host.request('GET', '/seals/witnessed?cursor=x')).status).toBe(400)
})

test('a true checkpoint with a wrong number keeps out neither its own seal nor that of the number', async () => {
  expect(await deliver(sealOf(2, 'abc', 0))).toEqual([204])
  expect(await deliver(sealOf(1, 'abc', 0))).toEqual([204])
  expect(await deliver(sealOf(2, 'abcdef', 3))).toEqual([204])
  expect(await kept()).toEqual([6, 3])
})

test('an event that takes the id of another keeps out no seal', async () => {
  const id = randomUUID()
  expect(await deliver(sealOf(1, 'abc', 0), { id })).toEqual([204])
  expect(await deliver(sealOf(2, 'abcdef', 3), { id })).toEqual([204])
  expect(await kept()).toEqual([6, 3])
})

test('after a gap, or out of order, the proof is fetched from the ledger', async () => {
  await deliver(sealOf(1, 'ab', 0))
  expect(await deliver(sealOf(4, 'abcdefgh', 7))).toEqual([204])
  expect(await deliver(sealOf(2, 'abc', 2))).toEqual([204])
  expect(await kept()).toEqual([8, 3, 2])
  expect(asked).toEqual([
    'seals.bank.svc.cluster.local/seals/consistency?from=2&to=8',
    'seals.bank.svc.cluster.local/seals/consistency?from=3&to=8',
  ])
})

test('if the proof can’t be fetched now, the event is not lost: the answer is 5xx, and nothing is kept', async () => {
  await deliver(sealOf(1, 'ab', 0))
  gatewayFails = true
  const [status] = await deliver(sealOf(4, 'abcdefgh', 7))
  expect(status).toBe(503)
  gatewayFails = false
  expect(await deliver(sealOf(4, 'abcdefgh', 7))).toEqual([204])
})

test.each([
  ['whose history was rewritten', sealOf(3, 'abXdefgh', 6), 'abXdefgh'],
  ['of the same size with another root', sealOf(3, 'abcdeX', 3), 'abcdeX'],
  ['with the same number and another tree', sealOf(2, 'abXdefg', 3), 'abXdefg'],
  ['that became smaller', sealOf(3, 'abXd', 3), 'abXd'],
  ['that was restored from an old backup', sealOf(2, 'abcdX', 3), 'abcdX'],
  ['that begins anew', sealOf(1, 'XYZ', 0), 'XYZ'],
])('a ledger %s contradicts what was witnessed: refused, and not kept', async (_what, sealed, rewritten) => {
  await deliver(sealOf(1, 'abc', 0))
  await deliver(sealOf(2, 'abcdef', 3))
  truth = rewritten
  expect(await deliver(sealed)).toEqual([
    500,
    expect.stringMatching(/^Seal \d contradicts a seal that was witnessed/),
  ])
  expect(await kept()).toEqual([6, 3])
})

test.each<[string, LedgerSealed, string?]>([
  ['without a known signature', { ...sealOf(1, 'abc', 0), checkpoint: ledgerSealed.example.checkpoint }],
  ['whose size is not that of its checkpoint', { ...sealOf(1, 'abc', 0), size: 4 }],
  ['that breaks the contract', { ...sealOf(1, 'abc', 0), seal: 0 }],
  ['that another context signed', sealOf(1, 'abc', 0), 'identity'],
])('a seal %s is refused', async (_what, data, by = 'ledger') => {
  expect(await deliver(data, { by })).toEqual([500, expect.any(String)])
  expect(await kept()).toEqual([])
})

test('two seals of different trees that arrive at once are not both kept', async () => {
  await deliver(sealOf(1, 'abc', 0))
  const answers = await Promise.all([deliver(sealOf(2, 'abcde', 3)), deliver(sealOf(2, 'abcdX', 3))])
  expect(answers.map(([status]) => status).sort()).toEqual([204, 500])
  expect(await kept()).toEqual([5, 3])
})
