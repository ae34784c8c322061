import { randomUUID } from 'node:crypto'
import { sealKey, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import type { PostingRequest } from './posting/posting-request.ts'
import proofs from './proofs.ts'
import type { HoldProof } from './seals/hold-proof.ts'
import type { AccountProof } from './seals/proof.ts'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import { fillHolds } from './testing/many-holds-fixture.ts'
import { loadVerifier, startSealer, type TestSealer, type VerifyProof } from './testing/seals-fixture.ts'

let ledger: TestLedger
let sealer: TestSealer
let host: TestFunction
let verifyProof: VerifyProof
let bearer: { alice: string; bob: string; eve: string; operator: string }
const bob = randomUUID()

beforeAll(async () => {
  verifyProof = await loadVerifier()
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  host = await startFunction(proofs, {
    LEDGER_DATABASE_URL: ledger.database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
  bearer = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    eve: await token({ userId: randomUUID() }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
})
afterAll(async () => {
  await Promise.all([sealer.stop(), host.stop()])
  await ledger.close()
})

const get = (path: string, by: keyof typeof bearer = 'alice') =>
  host.request('GET', path, { token: bearer[by] })

/** Returns the proof that an answer holds, after checking it. */
async function proven<Proof extends AccountProof | HoldProof = AccountProof>(
  path: string,
  by: keyof typeof bearer = 'alice',
): Promise<Proof> {
  const { status, body } = await get(path, by)
  expect([status, body.detail]).toEqual([200, undefined])
  verifyProof(body, sealKey.verifier)
  return body as Proof
}

const problemOf = ({ status, body }: { status: number; body: { type: string } }) => [
  status,
  body.type.split('/').at(-1),
]

describe('an account', () => {
  let account: string
  let other: string

  beforeAll(async () => {
    account = await ledger.open()
    other = await ledger.open({ userId: bob })
    await ledger.post(deposit(account, 500), transfer(account, other, 20), transfer(account, other, 30))
    await sealer.seal()
    await ledger.post(withdrawal(account, 100))
    await sealer.seal()
    await ledger.post(deposit(account, 7))
  })

  test('is proved from its beginning to the last seal', async () => {
    const { entries, opening, leaf } = await proven(`/accounts/${account}/proof`)
    expect(opening).toEqual({ version: 0, hash: '0'.repeat(64), balance_minor: '0' })
    expect(entries.map((entry) => [entry.amount_minor, entry.balance_after_minor])).toEqual([
      ['500', '500'],
      ['-20', '480'],
      ['-30', '450'],
      ['-100', '350'],
    ])
    expect(leaf.version).toBe(4)
  })

  test('is proved from any version, to the first seal that covers another', async () => {
    const part = await proven(`/accounts/${account}/proof?from=1&to=2`)
    expect([part.opening.version, part.opening.balance_minor, part.leaf.version]).toEqual([1, '500', 3])
    const whole = await proven(`/accounts/${account}/proof?from=2`)
    expect([whole.opening.version, whole.leaf.version, whole.opening.balance_minor]).toEqual([2, 4, '480'])
  })

  test('to which nothing was posted since has a proof of its last entry', async () => {
    const { opening, entries } = await proven(`/accounts/${account}/proof?from=4`)
    expect([opening.version, entries.length]).toEqual([3, 1])
  })

  test('is not proved beyond the last seal: 409, with the time of the next', async () => {
    for (const query of ['?from=5', '?to=5', '?from=2&to=99']) {
      const answer = await get(`/accounts/${account}/proof${query}`)
      expect(problemOf(answer)).toEqual([409, 'not-yet-sealed'])
      const [, next] = /made at (\S+)\.$/.exec(answer.body.detail)!
      expect(next).toMatch(/:00:00\.000Z$/)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(60)
    }
    const untouched = await ledger.open()
    expect(problemOf(await get(`/accounts/${untouched}/proof`))).toEqual([409, 'not-yet-sealed'])
  })

  test('is proved to its owner and to operators; to others it does not exist', async () => {
    await proven(`/accounts/${account}/proof`, 'operator')
    for (const id of [account, randomUUID()])
      expect(problemOf(await get(`/accounts/${id}/proof`, 'bob'))).toEqual([404, 'account-not-found'])
    expect((await host.request('GET', `/accounts/${account}/proof`)).status).toBe(401)
  })

  test.each(['?from=-1', '?from=1.5', '?from=2&to=1', '?to=x', '?from=99999999999999999999', '?more=1'])(
    'with %s is refused',
    async (query) => expect((await get(`/accounts/${account}/proof${query}`)).status).toBe(400),
  )
})

describe('a transaction', () => {
  let mine: string
  let his: string
  let id: string
  let before: string

  beforeAll(async () => {
    mine = await ledger.open()
    his = await ledger.open({ userId: bob })
    const payment = transfer(mine, his, 25)
    id = payment.id
    const first = deposit(mine, 500)
    before = first.id
    await ledger.post(first, payment, deposit(mine, 1), deposit(his, 3, { caller_id: bob }))
    await sealer.seal()
  })

  test('is proved to the payer from the payer’s entries, to the payee from the payee’s', async () => {
    const paid = await proven(`/transactions/${id}/proof`)
    expect(paid).toMatchObject({ account: mine, opening: { version: 1, balance_minor: '500' } })
    expect(paid.entries[0]).toMatchObject({ transaction_id: id, amount_minor: '-25', version: 2 })
    const got = await proven(`/transactions/${id}/proof`, 'bob')
    expect(got).toMatchObject({ account: his, opening: { version: 0 } })
    expect(got.entries[0]).toMatchObject({ transaction_id: id, amount_minor: '25', version: 1 })
  })

  test('is proved to an operator for any of its accounts, cash too', async () => {
    expect((await proven(`/transactions/${id}/proof`, 'operator')).account).toBe(mine)
    expect((await proven(`/transactions/${id}/proof?account_id=${his}`, 'operator')).account).toBe(his)
    const cash = '00000000-0000-7000-8000-000000555344'
    const proof = await proven(`/transactions/${before}/proof?account_id=${cash}`, 'operator')
    expect(proof).toMatchObject({
      account: cash,
      entries: [{ transaction_id: before, amount_minor: '-500' }, {}, {}],
    })
  })

  test('that an operator has proved is in the audit, with the owner of the account; a customer’s own is not', async () => {
    const audit = () =>
      ledger.db.query({
        text: `select route, subject, owner_id, outcome from audit_log where operation = 'proofs' and subject in ($1, $2)`,
        values: [id, his],
      })
    const before = await audit()
    await proven(`/transactions/${id}/proof`, 'bob')
    expect(await audit()).toEqual(before)
    await proven(`/transactions/${id}/proof?account_id=${his}`, 'operator')
    await proven(`/accounts/${his}/proof`, 'operator')
    const read = { owner_id: bob, outcome: 'read' }
    const rows = await audit()
    expect(rows).toHaveLength(before.length + 2)
    expect(rows).toContainEqual({ ...read, route: 'GET /transactions/{id}/proof', subject: id })
    expect(rows).toContainEqual({ ...read, route: 'GET /accounts/{id}/proof', subject: his })
  })

  test('is found among many of the same moment', async () => {
    const batch = Array.from({ length: 300 }, () => deposit(mine, 1))
    await ledger.post(...batch)
    await sealer.seal()
    for (const i of [0, 150, 299]) {
      const { entries } = await proven(`/transactions/${batch[i]!.id}/proof`)
      expect([entries[0]!.transaction_id, entries.length]).toEqual([batch[i]!.id, 300 - i])
    }
  })

  test('of others does not exist, nor does the other’s account', async () => {
    for (const wanted of [id, randomUUID()])
      expect(problemOf(await get(`/transactions/${wanted}/proof`, 'eve'))).toEqual([404, 'not-found'])
    const asked = `/transactions/${id}/proof?account_id=${mine}`
    expect(problemOf(await get(asked, 'bob'))).toEqual([404, 'account-not-found'])
    expect(problemOf(await get(`/transactions/${id}/proof?account_id=${randomUUID()}`, 'operator'))).toEqual([
      404,
      'account-not-found',
    ])
    expect((await host.request('GET', `/transactions/${id}/proof`)).status).toBe(401)
    expect((await get('/transactions/7/proof')).status).toBe(404)
    expect((await get(`/transactions/${id}/proof?account_id=7`)).status).toBe(400)
  })

  test('that is not sealed yet, or has moved no money, has no proof', async () => {
    const latest = deposit(mine, 2)
    await ledger.post(latest)
    expect(problemOf(await get(`/transactions/${latest.id}/proof`))).toEqual([409, 'not-yet-sealed'])
    const order = transfer(mine, his, 1)
    await ledger.order(order)
    expect(problemOf(await get(`/transactions/${order.id}/proof`))).toEqual([
      409,
      'transaction-not-completed',
    ])
  })
})

describe('a hold', () => {
  let mine: string
  let his: string
  let before: PostingRequest
  let captured: PostingRequest
  let open: PostingRequest
  let capture: string

  const statusesOf = ({ entries }: HoldProof) => entries.map(({ hold_id: id, status }) => [id, status])

  beforeAll(async () => {
    mine = await ledger.open()
    his = await ledger.open({ userId: bob })
    await ledger.post(deposit(mine, 500))
    ;[before, captured, open] = [placing(mine, 5), placing(mine, 60), placing(mine, 7)]
    await ledger.post(before, captured, open)
    await sealer.seal()
    const capturing = ending('capture', captured, 20, { to_account_id: his })
    capture = capturing.id
    await ledger.post(capturing)
    await sealer.seal()
    await ledger.post(ending('release', before))
    await sealer.seal()
  })

  test('that has ended is proved from the entry before it on, up to the seal of its end', async () => {
    const proof = await proven<HoldProof>(`/holds/${captured.id}/proof`)
    expect(proof).toMatchObject({
      account: mine,
      opening: { version: 1, held_minor: '5' },
      leaf: { version: 4 },
    })
    expect(statusesOf(proof)).toEqual([
      [captured.id, 'open'],
      [open.id, 'open'],
      [captured.id, 'captured'],
    ])
    expect(proof.entries.at(-1)).toMatchObject({
      amount_minor: '-60',
      held_after_minor: '12',
      captured_minor: '20',
      transaction_id: capture,
    })
  })

  test('that is open is proved up to the last seal: nothing in it has ended it', async () => {
    const proof = await proven<HoldProof>(`/holds/${open.id}/proof`)
    expect([proof.opening.version, proof.leaf.version]).toEqual([2, 5])
    expect(statusesOf(proof)).toEqual([
      [open.id, 'open'],
      [captured.id, 'captured'],
      [before.id, 'released'],
    ])
  })

  test('whose beginning or end is not sealed yet has no proof', async () => {
    const hold = placing(mine, 1)
    await ledger.post(hold)
    expect(problemOf(await get(`/holds/${hold.id}/proof`))).toEqual([409, 'not-yet-sealed'])
    await sealer.seal()
    await proven<HoldProof>(`/holds/${hold.id}/proof`)
    await ledger.post(ending('release', hold))
    const answer = await get(`/holds/${hold.id}/proof`)
    expect(problemOf(answer)).toEqual([409, 'not-yet-sealed'])
    expect(answer.body.detail).toMatch(/:00:00\.000Z\.$/)
    await sealer.seal()
    expect((await proven<HoldProof>(`/holds/${hold.id}/proof`)).entries.at(-1)!.status).toBe('released')
  })

  test('is proved to the account’s owner and to operators; to others it does not exist', async () => {
    await proven<HoldProof>(`/holds/${captured.id}/proof`, 'operator')
    for (const by of ['bob', 'eve'] as const)
      for (const id of [captured.id, mine])
        expect(problemOf(await get(`/holds/${id}/proof`, by))).toEqual([404, 'hold-not-found'])
    expect((await host.request('GET', `/holds/${captured.id}/proof`)).status).toBe(401)
    expect((await get('/holds/7/proof')).status).toBe(404)
  })

  test('that an operator has proved is in the audit, with the owner of the account; a customer’s own is not', async () => {
    const audit = () =>
      ledger.db.query({
        text: `select route, subject, owner_id, outcome from audit_log
          where operation = 'proofs' and route like '%hold%' and subject in ($1, $2)`,
        values: [open.id, mine],
      })
    await proven<HoldProof>(`/holds/${open.id}/proof`)
    await proven<HoldProof>(`/accounts/${mine}/holds/proof`)
    expect(await audit()).toEqual([])
    await proven<HoldProof>(`/holds/${open.id}/proof`, 'operator')
    await proven<HoldProof>(`/accounts/${mine}/holds/proof`, 'operator')
    const read = { owner_id: alice, outcome: 'read' }
    const rows = await audit()
    expect(rows).toHaveLength(2)
    expect(rows).toContainEqual({ ...read, route: 'GET /holds/{id}/proof', subject: open.id })
    expect(rows).toContainEqual({ ...read, route: 'GET /accounts/{id}/holds/proof', subject: mine })
  })

  test('and all others of an account are proved from any version to the first seal that covers another', async () => {
    const part = await proven<HoldProof>(`/accounts/${mine}/holds/proof?from=1&to=2`)
    expect([part.opening.version, part.opening.held_minor, part.leaf.version]).toEqual([1, '5', 3])
    const none = await ledger.open()
    expect(problemOf(await get(`/accounts/${none}/holds/proof`))).toEqual([409, 'not-yet-sealed'])
    for (const id of [mine, none])
      expect(problemOf(await get(`/accounts/${id}/holds/proof`, 'eve'))).toEqual([404, 'account-not-found'])
    for (const query of ['?from=-1', '?from=2&to=1', '?to=x', '?more=1'])
      expect((await get(`/accounts/${mine}/holds/proof${query}`)).status).toBe(400)
    expect((await host.request('GET', `/accounts/${mine}/holds/proof`)).status).toBe(401)
  })

  /** Follows a proof of a hold from part to part. */
  async function partsOf(id: string): Promise<HoldProof[]> {
    const parts: HoldProof[] = []
    for (let query = ''; ;) {
      const part = await proven<HoldProof & { next_from: number | null }>(`/holds/${id}/proof${query}`)
      const before = parts.at(-1)
      if (before) expect(part.opening).toMatchObject({ version: before.leaf.version, hash: before.leaf.hash })
      parts.push(part)
      if (part.next_from === null) return parts
      expect(part.next_from).toBe(part.leaf.version)
      query = `?from=${part.next_from}`
    }
  }

  test('however many entries come after it is proved in parts that fit together', async () => {
    const busy = await ledger.open()
    await ledger.post(deposit(busy, 500))
    const [long, ended] = [placing(busy, 9), placing(busy, 1)]
    await ledger.post(long, ended)
    await fillHolds(ledger, busy, 6_100)
    await sealer.seal()
    await ledger.post(ending('release', ended))
    await sealer.seal()
    for (const [hold, from, status] of [
      [long, 0, 'open'],
      [ended, 1, 'released'],
    ] as const) {
      const parts = await partsOf(hold.id)
      expect(parts).toHaveLength(3)
      for (const { entries } of parts) expect(entries.length).toBeLessThanOrEqual(5_000)
      const entries = parts.flatMap((part) => part.entries)
      expect(entries.map(({ version }) => version)).toEqual(entries.map((_, i) => from + 1 + i))
      expect(entries.at(-1)!.version).toBe(12_203)
      const own = entries.filter(({ hold_id: id }) => id === hold.id).map((entry) => entry.status)
      expect(own).toEqual(status === 'open' ? ['open'] : ['open', status])
    }
    expect((await get(`/holds/${ended.id}/proof?from=12203`)).body.errors).toMatchObject([{ path: '/from' }])
    expect(problemOf(await get(`/holds/${long.id}/proof?from=12204`))).toEqual([409, 'not-yet-sealed'])
    expect((await get(`/holds/${long.id}/proof?from=x`)).status).toBe(400)
    expect((await get(`/holds/${long.id}/proof?from=0`)).body.opening.version).toBe(0)
    const all = await get(`/accounts/${busy}/holds/proof`)
    expect(problemOf(all)).toEqual([422, 'proof-too-long'])
    expect(await inParts(all)).toBe(12_203)
  })
})

/** Follows the advice of a refusal. Resolves with the number of entries of all parts. */
async function inParts({ body }: { body: { detail: string } }): Promise<number> {
  const [, path, first, second] = /first one is \/api(\S+)\?from=(\d+)&to=(\d+)\.$/.exec(body.detail)!
  const width = Number(second) - Number(first)
  let [from, entries] = [Number(first), 0]
  for (;;) {
    const answer = await get(`${path}?from=${from}&to=${from + width}`)
    const part = await proven(`${path}?from=${from}${answer.status === 200 ? `&to=${from + width}` : ''}`)
    entries += part.entries.length
    from = part.leaf.version
    if (answer.status !== 200) return entries
  }
}

test('a proof of more than 5,000 entries is refused, and can be had in parts that fit together', async () => {
  const account = await ledger.open()
  for (let i = 0; i < 6; i++) await ledger.post(...Array.from({ length: 1_000 }, () => deposit(account, 1)))
  await sealer.seal()
  const answer = await get(`/accounts/${account}/proof`)
  expect(problemOf(answer)).toEqual([422, 'proof-too-long'])
  expect(answer.body.detail).toContain('would have 6000 entries; at most 5000')
  expect(await inParts(answer)).toBe(6_000)
  const first = await proven(`/accounts/${account}/proof?to=2500`)
  const second = await proven(`/accounts/${account}/proof?from=${first.leaf.version}`)
  expect(second.opening).toMatchObject({ version: first.leaf.version, hash: first.leaf.hash })
  expect(first.entries.length + second.entries.length).toBe(6_000)
})
