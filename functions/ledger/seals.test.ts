import { openCheckpoint } from '../host/transparency/checkpoint.ts'
import { isConsistent } from '../host/transparency/consistency.ts'
import { sealKey, startFunction, type TestFunction } from '../../tests/support/host.ts'
import seals from './seals.ts'
import { deposit, testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import { startSealer, type TestSealer } from './testing/seals-fixture.ts'

let ledger: TestLedger
let sealer: TestSealer
let reader: TestFunction

beforeAll(async () => {
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  reader = await startFunction(seals, {
    LEDGER_DATABASE_URL: ledger.database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
})
afterAll(async () => {
  await Promise.all([sealer.stop(), reader.stop()])
  await ledger.close()
})

const get = (path: string) => reader.request('GET', path)
const WELL_KNOWN = '/.well-known/microbank-checkpoint'

test('before the first seal there is no checkpoint, no seal and nothing to prove', async () => {
  expect((await get(WELL_KNOWN)).status).toBe(404)
  expect((await get('/seals')).body).toEqual({ items: [], next_cursor: null })
  const { status, body } = await get('/seals/consistency?from=1&to=1')
  expect([status, body.errors]).toEqual([
    400,
    [{ path: '/to', message: expect.stringContaining('leaves: 0') }],
  ])
})

describe('with three seals', () => {
  beforeAll(async () => {
    for (let i = 0; i < 3; i++) {
      await ledger.post(deposit(await ledger.open(), 100))
      await sealer.seal()
    }
  })

  test('anybody reads the last checkpoint and each one before as a signed note', async () => {
    const { status, headers, body } = await get(WELL_KNOWN)
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(openCheckpoint(body, [sealKey.verifier]).size).toBe(6n)
    const each = await Promise.all([1, 2, 3].map((n) => get(`${WELL_KNOWN}/${n}`)))
    expect(each.map(({ body: note }) => Number(openCheckpoint(note, [sealKey.verifier]).size))).toEqual([
      2, 4, 6,
    ])
    expect(each[2]!.body).toBe(body)
    expect(each[0]!.headers.get('cache-control')).toMatch(/max-age=31536000/)
    expect(headers.get('cache-control')).toBe('public, max-age=60')
    for (const [n, answer] of [
      ['4', 404],
      ['0', 404],
      ['x', 404],
      ['1e3', 404],
    ] as const)
      expect([n, (await get(`${WELL_KNOWN}/${n}`)).status]).toEqual([n, answer])
  })

  test('anybody reads the public keys', async () => {
    expect((await get('/.well-known/microbank-seal-keys')).body).toBe(`${sealKey.verifier}\n`)
  })

  test('the seals are listed page by page, newest first', async () => {
    const first = (await get('/seals?limit=2')).body
    const second = (await get(`/seals?limit=2&cursor=${first.next_cursor}`)).body
    expect([...first.items, ...second.items].map(({ seal }) => seal)).toEqual([3, 2, 1])
    expect(second.next_cursor).toBe(null)
    const [last] = first.items
    const { size, root } = openCheckpoint(last.checkpoint, [sealKey.verifier])
    expect([last.size, last.root]).toEqual([Number(size), root.toString('hex')])
    expect(Date.parse(last.sealed_at)).toBeLessThanOrEqual(Date.now() + 60_000)
    for (const cursor of [
      'x',
      Buffer.from('-1').toString('base64url'),
      Buffer.from("1'").toString('base64url'),
    ])
      expect((await get(`/seals?cursor=${cursor}`)).status).toBe(400)
  })

  test('any two of them are proved to be one growing tree', async () => {
    const all = (await get('/seals')).body.items
      .map(({ checkpoint }: { checkpoint: string }) => openCheckpoint(checkpoint, [sealKey.verifier]))
      .reverse()
    for (const [i, older] of all.entries())
      for (const newer of all.slice(i)) {
        const { status, body } = await get(`/seals/consistency?from=${older.size}&to=${newer.size}`)
        expect(status).toBe(200)
        const proof = body.consistency.map((hash: string) => Buffer.from(hash, 'hex'))
        expect(isConsistent(older, newer, proof)).toBe(true)
      }
  })

  test.each([
    '',
    '?from=1',
    '?from=0&to=1',
    '?from=3&to=2',
    '?from=1&to=7',
    '?from=1.5&to=2',
    '?from=x&to=2',
    '?from=1&to=2&more=1',
  ])('a proof of %s is refused', async (query) => {
    expect((await get(`/seals/consistency${query}`)).status).toBe(400)
  })
})
