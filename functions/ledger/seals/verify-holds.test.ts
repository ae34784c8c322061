import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signCheckpoint, verifierKey } from '../../host/transparency/checkpoint.ts'
import { sealKey } from '../../../tests/support/host.ts'
import { deposit, ending, placing, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { expireHold, runVerifier, startSealer, type TestSealer } from '../testing/seals-fixture.ts'
import { proofOfHolds, type HoldProof, type ProvenHoldEntry } from './hold-proof.ts'
import { proofOfAccount, type AccountProof } from './proof.ts'

/** docs/verify-statement.mjs, as a customer runs it, with proofs of the holds of a real ledger: true ones and
 * falsified ones. */

let ledger: TestLedger
let sealer: TestSealer
let folder: string
let payee: string
const accounts: string[] = []

async function proofOf(account: string, from = 0, to?: number, seal?: number): Promise<HoldProof> {
  const proven = await proofOfHolds(ledger.db, account, { from, to, seal })
  if ('refusal' in proven) throw new Error(`expected a proof, got ${proven.refusal.status}`)
  return proven.proof
}

async function proofOfEntries(account: string): Promise<AccountProof> {
  const proven = await proofOfAccount(ledger.db, account, { from: 0 })
  if ('refusal' in proven) throw new Error(`expected a proof, got ${proven.refusal.status}`)
  return proven.proof
}

/** Places four holds on each account, of which one stays open. */
async function useHolds(used: readonly string[], round: number): Promise<void> {
  for (const account of used) {
    const holds = [10, 20, 30, 40].map((n) => placing(account, n + round))
    const [captured, released, expired] = holds as [(typeof holds)[0], (typeof holds)[0], (typeof holds)[0]]
    await ledger.post(...holds)
    await ledger.post(
      ending('capture', captured, 7 + round, { to_account_id: payee }),
      ending('release', released),
    )
    await expireHold(ledger, expired)
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hold-proofs-'))
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  payee = await ledger.open()
  for (let i = 0; i < 4; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 10_000)))
  for (let round = 1; round <= 3; round++) {
    await useHolds(accounts.slice(0, round + 1), round)
    await sealer.seal()
  }
})
afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  await sealer.stop()
  await ledger.close()
  rmSync(folder, { recursive: true })
})

test('every true proof of holds holds: of each account, from each version, to each seal', async () => {
  const proofs: HoldProof[] = []
  for (const account of accounts) {
    const whole = await proofOf(account)
    for (const { version } of whole.entries) {
      proofs.push(await proofOf(account, version - 1))
      proofs.push(await proofOf(account, 0, version))
    }
    // The accounts joined one after the other: the third is not in the first seal.
    for (let seal = Math.max(1, accounts.indexOf(account)); seal <= 3; seal++)
      proofs.push(await proofOf(account, 0, 1, seal))
  }
  expect(proofs.length).toBeGreaterThan(100)
  const statuses = proofs.flatMap(({ entries }) => entries.map(({ status }) => status))
  expect(new Set(statuses)).toEqual(new Set(['open', 'captured', 'released', 'expired']))
  expect(new Set(await runVerifier(folder, proofs))).toEqual(new Set(['holds']))
})

test('what is proved is what was held, and how each hold ended', async () => {
  const { opening, entries } = await proofOf(accounts[2]!, 0, 7)
  expect(opening).toEqual({
    version: 0,
    hash: createHash('sha256').update('holds').digest('hex'),
    held_minor: '0',
  })
  const said = entries.map((entry) => [entry.status, entry.amount_minor, entry.held_after_minor])
  expect(said).toEqual([
    ['open', '12', '12'],
    ['open', '22', '34'],
    ['open', '32', '66'],
    ['open', '42', '108'],
    ['captured', '-12', '96'],
    ['released', '-22', '74'],
    ['expired', '-32', '42'],
  ])
  const [captured] = entries.filter(({ status }) => status === 'captured')
  expect(captured!.captured_minor).toBe('9')
  const [moved] = await ledger.db.query({
    text: 'select amount, hold_id from transactions where id = $1',
    values: [captured!.transaction_id],
  })
  expect(moved).toEqual({ amount: 9n, hold_id: captured!.hold_id })
})

test('a leaf of holds is hashed over its bytes and its name, so it is no leaf of entries', async () => {
  const rows = await ledger.db.query<{ account_id: string; version: bigint; hash: Buffer; node: Buffer }>({
    text: `select s.account_id, s.version, s.hash, n.hash as node
      from sealed_holds s join seal_nodes n on n.level = 0 and n.index = s.leaf`,
  })
  expect(rows.length).toBeGreaterThan(5)
  for (const { account_id: account, version, hash, node } of rows) {
    const number = Buffer.alloc(8)
    number.writeBigInt64BE(version)
    const bytes = Buffer.concat([
      Buffer.of(0),
      Buffer.from(account.replaceAll('-', ''), 'hex'),
      number,
      hash,
      Buffer.from('holds'),
    ])
    expect(node).toEqual(createHash('sha256').update(bytes).digest())
  }
})

/** Changes the last character of a text: of a hex digit to another one, of a decimal digit likewise. */
const other = (text: string): string => text.slice(0, -1) + (text.endsWith('1') ? '2' : '1')
const more = (amount: string): string => String(BigInt(amount) + 1n)
/** Returns a number whose last eight bytes are the same. */
const muchMore = (amount: string): string => String(BigInt(amount) + 2n ** 64n)
const jwk = JSON.parse(sealKey.privateJwks).keys[0]
const strangersKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

const that = (proof: HoldProof, status: ProvenHoldEntry['status']): ProvenHoldEntry =>
  proof.entries.find((entry) => entry.status === status)!

const become = (entry: ProvenHoldEntry, status: string): unknown =>
  Object.assign(entry, { status, captured_minor: null, transaction_id: null })

/** What a change may take from elsewhere. */
interface Others {
  /** The proof of another account's holds. */
  stranger: HoldProof
  /** The proof of the same account's entries. */
  entries: AccountProof
  /** The same account's holds under the first seal. */
  earlier: HoldProof
}

const falsified: Record<string, (proof: HoldProof, others: Others) => unknown> = {
  'another account': (p, { stranger }) => (p.account = stranger.account),
  'another opening version': (p) => p.opening.version++,
  'an opening version that is a text': (p) => Object.assign(p.opening, { version: `${p.opening.version}.0` }),
  'another opening hash': (p) => (p.opening.hash = other(p.opening.hash)),
  'more held at the opening': (p) => (p.opening.held_minor = more(p.opening.held_minor)),
  'more held at the opening, and after it': (p) => {
    p.opening.held_minor = more(p.opening.held_minor)
    for (const entry of p.entries) entry.held_after_minor = more(entry.held_after_minor)
  },
  'more held at the opening by what has the same bytes, and after it': (p) => {
    p.opening.held_minor = muchMore(p.opening.held_minor)
    for (const entry of p.entries) entry.held_after_minor = muchMore(entry.held_after_minor)
  },
  'an opening as of the beginning': (p) => {
    p.opening = {
      version: 0,
      hash: createHash('sha256').update('holds').digest('hex'),
      held_minor: p.opening.held_minor,
    }
    p.entries.forEach((entry, i) => (entry.version = i + 1))
  },
  'no entries': (p) => (p.entries = []),
  'no first entry': (p) => p.entries.shift(),
  'no last entry': (p) => p.entries.pop(),
  'no entry in the middle, the others renumbered': (p) => {
    p.entries.splice(1, 1)
    p.entries.forEach((entry, i) => (entry.version = p.opening.version + 1 + i))
  },
  'an entry twice': (p) => p.entries.splice(1, 0, p.entries[1]!),
  'two entries in the wrong order': (p) => p.entries.splice(0, 2, p.entries[1]!, p.entries[0]!),
  'another hold': (p) => (p.entries[0]!.hold_id = randomUUID()),
  'two holds exchanged': (p) => {
    const [first, second] = [p.entries[0]!, p.entries[1]!]
    ;[first.hold_id, second.hold_id] = [second.hold_id, first.hold_id]
  },
  'another amount': (p) => (p.entries[0]!.amount_minor = more(p.entries[0]!.amount_minor)),
  'another amount, and what is held after it': (p) => {
    p.entries[0]!.amount_minor = more(p.entries[0]!.amount_minor)
    for (const entry of p.entries) entry.held_after_minor = more(entry.held_after_minor)
  },
  'the sign of an amount': (p) => (p.entries[0]!.amount_minor = `-${p.entries[0]!.amount_minor}`),
  'another sum held': (p) => (p.entries[1]!.held_after_minor = more(p.entries[1]!.held_after_minor)),
  'a hold that was captured as released': (p) => become(that(p, 'captured'), 'released'),
  'a hold that was captured as still open': (p) => become(that(p, 'captured'), 'open'),
  'a hold that was released as expired': (p) => become(that(p, 'released'), 'expired'),
  'a hold that has expired as released': (p) => become(that(p, 'expired'), 'released'),
  'a hold that was placed as expired': (p) => become(that(p, 'open'), 'expired'),
  'a hold that was released as captured': (p) => {
    const { captured_minor, transaction_id } = that(p, 'captured')
    Object.assign(that(p, 'released'), { status: 'captured', captured_minor, transaction_id })
  },
  'a status that does not exist': (p) => become(that(p, 'released'), 'closed'),
  'a status that has the captured amount in its text': (p) =>
    become(that(p, 'captured'), `captured${'\0'.repeat(7)}\x08`),
  'no status': (p) => become(that(p, 'released'), ''),
  'more captured by what has the same bytes': (p) => {
    that(p, 'captured').captured_minor = muchMore(that(p, 'captured').captured_minor!)
  },
  'more captured': (p) => (that(p, 'captured').captured_minor = more(that(p, 'captured').captured_minor!)),
  'captured by another transaction': (p) => (that(p, 'captured').transaction_id = randomUUID()),
  'captured, but not how much': (p) => (that(p, 'captured').captured_minor = null),
  'captured, but not by what': (p) => (that(p, 'captured').transaction_id = null),
  'released, and something captured': (p) => (that(p, 'released').captured_minor = '1'),
  'another time': (p) => (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/...Z$/, '001Z')),
  'another day': (p) => (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/^..../, '2031')),
  'another leaf version': (p) => p.leaf.version++,
  'another leaf hash': (p) => (p.leaf.hash = other(p.leaf.hash)),
  'another place in the tree': (p) => p.leaf.index++,
  'the leaf of another account': (p, { stranger }) => (p.leaf = stranger.leaf),
  'the leaf of another account, and its path': (p, { stranger }) =>
    Object.assign(p, { leaf: stranger.leaf, path: stranger.path }),
  'the leaf of the account’s entries': (p, { entries }) => (p.leaf = entries.leaf),
  'the place of the account’s entries, and their path': (p, { entries }) => {
    p.leaf.index = entries.leaf.index
    p.path = entries.path
  },
  'the leaf of the account’s entries, and its path': (p, { entries }) =>
    Object.assign(p, { leaf: entries.leaf, path: entries.path }),
  'the account’s entries as holds': (p, { entries }) => {
    p.opening = { ...entries.opening, held_minor: entries.opening.balance_minor }
    p.entries = entries.entries.map((entry) => ({
      ...entry,
      hold_id: entry.transaction_id,
      held_after_minor: entry.balance_after_minor,
      status: 'open',
      captured_minor: null,
      transaction_id: null,
    }))
    Object.assign(p, { leaf: entries.leaf, path: entries.path })
  },
  'holds as the account’s entries': (p) => {
    const { held_minor: balance_minor, ...opening } = p.opening
    const entries = p.entries.map((entry) => ({
      ...entry,
      transaction_id: entry.hold_id,
      balance_after_minor: entry.held_after_minor,
      value_date: null,
    }))
    Object.assign(p, { opening: { ...opening, balance_minor }, entries })
  },
  'no first sibling': (p) => p.path.shift(),
  'no last sibling': (p) => p.path.pop(),
  'no path': (p) => (p.path = []),
  'a sibling more': (p) => p.path.push(p.path[0]!),
  'another sibling': (p) => (p.path[0] = other(p.path[0]!)),
  'a sibling cut short': (p) => (p.path[0] = p.path[0]!.slice(2)),
  'the checkpoint of another seal': (p, { earlier }) => (p.checkpoint = earlier.checkpoint),
  'the leaf, path and checkpoint of another seal': (p, { earlier: { leaf, path, checkpoint } }) =>
    Object.assign(p, { leaf, path, checkpoint }),
  'a checkpoint of another tree, rightly signed': (p) => {
    p.checkpoint = signCheckpoint({ size: 9n, root: createHash('sha256').digest() }, [jwk])
  },
  'a checkpoint that a stranger has signed': (p) => {
    const [, size, root] = p.checkpoint.split('\n')
    const checkpoint = { size: BigInt(size!), root: Buffer.from(root!, 'base64') }
    p.checkpoint = signCheckpoint(checkpoint, [strangersKey])
  },
  'no signature': (p) => (p.checkpoint = p.checkpoint.slice(0, p.checkpoint.indexOf('—'))),
}

test('every falsified proof of holds fails, for each of two accounts', async () => {
  const names = Object.keys(falsified)
  const proofs: HoldProof[] = []
  for (const account of accounts.slice(0, 2)) {
    const others = {
      stranger: await proofOf(accounts[2]!),
      entries: await proofOfEntries(account),
      earlier: await proofOf(account, 1, 2, 1),
    }
    for (const change of Object.values(falsified)) {
      const proof = await proofOf(account, 1)
      change(proof, structuredClone(others))
      proofs.push(proof)
    }
  }
  const verdicts = await runVerifier(folder, proofs)
  const held = verdicts.flatMap((verdict, i) => (verdict === 'holds' ? [names[i % names.length]] : []))
  expect(held).toEqual([])
  // Each fails for a reason, not because the verifier broke.
  expect(verdicts.filter((verdict) => /undefined|null|not a function|iterable/.test(verdict))).toEqual([])
})

test('a proof of holds holds under no other key', async () => {
  const proof = await proofOf(accounts[0]!)
  expect(await runVerifier(folder, [proof], verifierKey(strangersKey))).toEqual([
    'the key has not signed the checkpoint',
  ])
})
