import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ledgerSealed, type LedgerSealed } from '../../eventing/contracts/ledger.sealed.ts'
import { openCheckpoint, verifierKey } from '../host/transparency/checkpoint.ts'
import { isConsistent } from '../host/transparency/consistency.ts'
import { sealKey, startFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import sealLedger from './seal-ledger.ts'
import { sealAccounts } from './seals/seal.ts'
import { deposit, testLedger, transfer, type TestLedger } from './testing/ledger-fixture.ts'
import { check, lastCheckpoint, startSealer, tamper, type TestSealer } from './testing/seals-fixture.ts'

const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
const newKey = { jwk, verifier: verifierKey(jwk) }

let broker: Server
let events: { type: string; data: LedgerSealed }[] = []
let ledger: TestLedger
let sealer: TestSealer

beforeAll(async () => {
  broker = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.headers['ce-type'] === ledgerSealed.type)
        events.push({ type: ledgerSealed.type, data: JSON.parse(body) as LedgerSealed })
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  broker.closeAllConnections()
  broker.close()
})

beforeEach(async () => {
  events = []
  ledger = await testLedger()
  const BROKER_URL = `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`
  sealer = await startSealer(ledger, { BROKER_URL })
})
afterEach(async () => {
  await sealer.stop()
  await ledger.close()
})

type LeafRow = { leaf: bigint; account_id: string; version: bigint; hash: Buffer }
const leaves = () => ledger.db.query<LeafRow>({ text: 'select * from sealed order by leaf' })
const seals = () =>
  ledger.db.query<{ n: bigint; size: bigint; root: Buffer; note: string }>({
    text: 'select * from seals order by n',
  })

test('a seal has a leaf for each account with new entries, ordered by id, and none for the others', async () => {
  const [ada, ben, carl] = [await ledger.open(), await ledger.open(), await ledger.open()] as const
  await ledger.post(deposit(ada, 500), deposit(ben, 70), transfer(ada, ben, 20))
  await sealer.seal()
  const found = (await leaves()).map(({ account_id: id, version }) => [id, Number(version)])
  expect(found).toEqual([
    ['00000000-0000-7000-8000-000000555344', 2],
    [ada, 2],
    [ben, 2],
  ])

  await ledger.post(transfer(ben, carl, 5))
  await sealer.seal()
  const later = (await leaves()).slice(3).map(({ account_id: id, version }) => [id, Number(version)])
  expect(later).toEqual([
    [ben, 3],
    [carl, 1],
  ])
  const accounts = await ledger.db.query<{ id: string; last_hash: Buffer }>({
    text: 'select id, last_hash from accounts',
  })
  for (const { id, last_hash: hash } of accounts)
    expect((await leaves()).findLast(({ account_id: of }) => of === id)?.hash).toEqual(hash)
})

test('without new entries there is no new seal', async () => {
  await sealer.ping()
  expect(await seals()).toEqual([])
  await ledger.post(deposit(await ledger.open(), 500))
  for (let i = 0; i < 3; i++) await sealer.seal()
  expect(await seals()).toHaveLength(1)
})

test('each seal is an event, with a proof that the tree only grew', async () => {
  const accounts = [await ledger.open(), await ledger.open(), await ledger.open()]
  for (const account of accounts) {
    await ledger.post(deposit(account, 100))
    await sealer.seal()
  }
  await until(() => events.length === 3)
  const sorted = events.map(({ data }) => data).sort((a, b) => a.seal - b.seal)
  expect(sorted.map(({ seal, size, old_size: old }) => [seal, old, size])).toEqual([
    [1, 0, 2],
    [2, 2, 4],
    [3, 4, 6],
  ])
  const opened = sorted.map(({ checkpoint }) => openCheckpoint(checkpoint, [sealKey.verifier]))
  for (const i of [1, 2]) {
    const proof = sorted[i]!.consistency.map((hash) => Buffer.from(hash, 'hex'))
    expect(isConsistent(opened[i - 1]!, opened[i]!, proof)).toBe(true)
  }
})

test('while keys change, the seal has a signature of each', async () => {
  const both = { keys: [JSON.parse(sealKey.privateJwks).keys[0], newKey.jwk] }
  const changing = await startSealer(ledger, { SEAL_SIGNING_KEY: JSON.stringify(both) })
  await ledger.post(deposit(await ledger.open(), 500))
  await changing.seal()
  await changing.stop()
  const note = (await seals())[0]!.note
  for (const key of [sealKey.verifier, newKey.verifier]) expect(openCheckpoint(note, [key]).size).toBe(2n)
})

test('many accounts and long histories are sealed in steps, with a leaf for at least each thousandth entry', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 7; i++) accounts.push(await ledger.open())
  for (let i = 0; i < 3; i++)
    await ledger.post(...Array.from({ length: 800 }, (_, k) => deposit(accounts[k % 7]!, 1 + k)))
  await check(ledger)
  const round = await sealAccounts(sealer.tools, 60_000, { accounts: 2, entries: 700 })
  expect(round).toMatchObject({ broken: [], isComplete: true })
  const found = await leaves()
  expect(found.map(({ leaf }) => Number(leaf))).toEqual(found.map((_, i) => i))
  const versions = (id: string): number[] =>
    found.filter(({ account_id: of }) => of === id).map(({ version }) => Number(version))
  expect(versions('00000000-0000-7000-8000-000000555344')).toEqual([700, 1400, 2100, 2400])
  for (const id of accounts) expect(versions(id).at(-1)).toBe(await versionOf(id))

  const id = accounts[0]!
  const since = await versionOf(id)
  await ledger.post(...Array.from({ length: 2_300 }, () => deposit(id, 1)))
  await check(ledger)
  await sealAccounts(sealer.tools, 60_000)
  const later = (await leaves())
    .filter(({ account_id: of }) => of === id)
    .map(({ version }) => Number(version))
  expect(later.slice(-3)).toEqual([since + 1000, since + 2000, since + 2300])
})

async function versionOf(id: string): Promise<number> {
  const text = 'select version from accounts where id = $1'
  const [row] = await ledger.db.query<{ version: bigint }>({ text, values: [id] })
  return Number(row!.version)
}

test('if the time is over, the next round goes on where this one ended', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 4; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 100)))
  await check(ledger)
  expect(await sealAccounts(sealer.tools, 0)).toEqual({ leaves: 0, broken: [], isComplete: false })
  let calls = 0
  const twice = { db: { ...sealer.tools.db, transaction: countdown } }
  function countdown<T>(...args: Parameters<typeof sealer.tools.db.transaction<T>>): Promise<T> {
    if (++calls > 2) throw new Error('killed')
    return sealer.tools.db.transaction(...args)
  }
  await expect(sealAccounts(twice, 60_000, { accounts: 1, entries: 10 })).rejects.toThrow('killed')
  expect(await leaves()).toHaveLength(2)
  await ledger.post(deposit(accounts[0]!, 1))
  await check(ledger)
  await sealAccounts(sealer.tools, 60_000, { accounts: 1, entries: 10 })
  const order = (await leaves()).map(({ account_id: id }) => id)
  expect(order.slice(2)).toEqual([...accounts.slice(1), order[0], accounts[0]])
})

test('several processes that seal at once append each leaf once', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 40; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 100)))
  const others = await Promise.all([startSealer(ledger), startSealer(ledger)])
  await check(ledger)
  const statuses = await Promise.all([sealer, ...others].map((one) => one.ping()))
  expect(statuses).toContain(204)
  await sealer.seal()
  await Promise.all(others.map((one) => one.stop()))
  const found = await leaves()
  expect(new Set(found.map(({ account_id: id }) => id)).size).toBe(41)
  expect(found).toHaveLength(41)
  expect((await lastCheckpoint(ledger)).size).toBe(41n)
})

test.each([
  ['amount', 'update entries set amount = amount + 1 where account_id = $1 and version = 3'],
  ['balance', 'update entries set balance_after = balance_after + 1 where account_id = $1 and version = 4'],
  [
    'time',
    `update entries set created_at = created_at + interval '1 day' where account_id = $1 and version = 3`,
  ],
  ['value date', `update entries set value_date = '2026-01-05' where account_id = $1 and version = 3`],
  ['hash', `update entries set hash = sha256('x') where account_id = $1 and version = 4`],
  ['number', 'update entries set version = 5 where account_id = $1 and version = 4'],
  [
    'amount, to the end of what a number can be,',
    'update entries set amount = 9223372036854775807 where account_id = $1 and version = 3',
  ],
])(
  'an account with an entry whose %s was changed after it was checked is not sealed; the others are',
  async (_what, text) => {
    const [ada, ben] = [await ledger.open(), await ledger.open()] as const
    await ledger.post(deposit(ada, 100), deposit(ada, 100))
    await sealer.seal()
    await ledger.post(deposit(ada, 100), deposit(ada, 100), deposit(ben, 100))
    await check(ledger)
    await tamper(ledger, 'entries', text, [ada])
    expect(await sealAccounts(sealer.tools, 60_000)).toMatchObject({ broken: [ada], isComplete: true })
    const sealed = (await leaves()).map(({ account_id: id }) => id)
    expect(sealed.filter((id) => id === ada)).toHaveLength(1)
    expect(sealed.filter((id) => id === ben)).toHaveLength(1)
  },
)

test('only what was checked is sealed', async () => {
  const [ada, ben] = [await ledger.open(), await ledger.open()] as const
  await ledger.post(deposit(ada, 100))
  await check(ledger)
  await ledger.post(deposit(ada, 100), deposit(ben, 100))
  await sealer.ping()
  expect((await leaves()).map(({ version }) => Number(version))).toEqual([1, 1])
  await tamper(ledger, 'entries', 'update entries set amount = 200 where account_id = $1 and version = 2', [
    ada,
  ])
  await sealer.seal()
  const sealed = (await leaves()).slice(2).map(({ account_id: id, version }) => [id, Number(version)])
  expect(sealed).toEqual([
    ['00000000-0000-7000-8000-000000555344', 3],
    [ben, 1],
  ])
})

test.each(['USD', null])(
  'while %s is stopped nothing of it is sealed, until it is resumed',
  async (currency) => {
    const [ada, ben] = [await ledger.open(), await ledger.open({ currency: 'EUR' })] as const
    await ledger.post(deposit(ada, 100), deposit(ben, 100, { currency: 'EUR' }))
    await check(ledger)
    await ledger.owner.query({ text: `select stop_ledger($1, 'a test', null)`, values: [currency] })
    expect(await sealAccounts(sealer.tools, 60_000)).toEqual({
      leaves: currency ? 2 : 0,
      broken: [],
      isComplete: true,
    })
    const sealed = (await leaves()).map(({ account_id: id }) => id)
    expect([sealed.includes(ada), sealed.includes(ben)]).toEqual([false, currency !== null])
    await ledger.owner.query({
      text: `update ledger_stops set lifted_at = now(), lifted_by = uuidv7(), lift_reason = 'right'`,
    })
    await sealer.seal()
    expect(await leaves()).toHaveLength(4)
  },
)

test('a tree that is no longer the one that was sealed is never signed again', async () => {
  const [ada, ben] = [await ledger.open(), await ledger.open()] as const
  await ledger.post(deposit(ada, 100))
  await sealer.seal()
  await tamper(ledger, 'seal_nodes', `update seal_nodes set hash = sha256('x') where level = 1`)
  await ledger.post(deposit(ben, 100))
  await check(ledger)
  expect(await sealer.ping()).toBe(500)
  expect(await seals()).toHaveLength(1)
})

test('seals are append-only, and the functions’ role cannot write them by itself', async () => {
  await ledger.post(deposit(await ledger.open(), 100))
  await sealer.seal()
  for (const table of ['seals', 'sealed', 'sealed_holds', 'seal_nodes']) {
    await expect(ledger.owner.query({ text: `delete from ${table}` })).rejects.toThrow(/append-only/)
    await expect(ledger.db.query({ text: `delete from ${table}` })).rejects.toThrow(/permission denied/)
  }
  const add = (note: string) => ledger.db.query({ text: 'select add_seal(2, $1, now())', values: [note] })
  await expect(add('microbank.dev/ledger\n2\nAAAA\n\n')).rejects.toThrow(/not of the tree/)
  await expect(ledger.db.query({ text: 'select grow_tree(2, 4)' })).rejects.toThrow(/permission denied/)
})

test('only the platform can have the ledger sealed, and only with a key', async () => {
  await ledger.post(deposit(await ledger.open(), 100))
  const headers = {
    host: 'seal-ledger.example.com',
    'ce-id': '1',
    'ce-type': 'x',
    'ce-source': '/x',
    'ce-specversion': '1.0',
  }
  expect((await sealer.request('POST', '/events', { headers })).status).toBe(404)
  expect(await leaves()).toEqual([])
  await expect(startFunction(sealLedger, { SEAL_SIGNING_KEY: '{"keys":[]}' })).rejects.toThrow(
    /SEAL_SIGNING_KEY/,
  )
})
