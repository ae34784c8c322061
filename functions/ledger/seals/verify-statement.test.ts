import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifierKey, signCheckpoint } from '../../host/transparency/checkpoint.ts'
import { sealKey } from '../../../tests/support/host.ts'
import { deposit, testLedger, transfer, withdrawal, type TestLedger } from '../testing/ledger-fixture.ts'
import { runVerifier, startSealer, tamper, type TestSealer } from '../testing/seals-fixture.ts'
import { ProofError } from '../../web/ui/proof/bytes.ts'
import { verifyProof as verifyInPage } from '../../web/ui/proof/verify-proof.ts'
import { proofOfAccount, type AccountProof } from './proof.ts'

/** docs/verify-statement.mjs, as a customer runs it, and what the page of a receipt does, with proofs of a
 * real ledger: true ones and falsified ones. */

let ledger: TestLedger
let sealer: TestSealer
let folder: string
const accounts: string[] = []

/** Returns what both verifiers say of each proof: 'holds', or why not. */
async function judge(proofs: readonly unknown[], key = sealKey.verifier): Promise<string[]> {
  const said = await runVerifier(folder, proofs, key)
  const inPage = proofs.map((proof) => sayInPage(JSON.parse(JSON.stringify(proof)) as AccountProof, key))
  const isHeld = (verdict: string): boolean => verdict === 'holds'
  expect((await Promise.all(inPage)).map(isHeld)).toEqual(said.map(isHeld))
  return said
}

async function sayInPage(proof: AccountProof, key: string): Promise<string> {
  try {
    await verifyInPage(proof, key)
    return 'holds'
  } catch (error) {
    // Not a TypeError: it fails for a reason.
    if (!(error instanceof ProofError)) throw error
    return error.message
  }
}

async function proofOf(account: string, from = 0, to?: number, seal?: number): Promise<AccountProof> {
  const proven = await proofOfAccount(ledger.db, account, { from, to, seal })
  if ('refusal' in proven) throw new Error(`expected a proof, got ${proven.refusal.status}`)
  return proven.proof
}

const CASH = '00000000-0000-7000-8000-000000555344'

/** Makes the last withdrawal from an account count from another day, as if it had been posted so: the bank
 * itself takes only days of the last month. (1999 is before the day that days are counted from.) */
async function redate(account: string, day: string): Promise<void> {
  const last = `(select transaction_id from entries e join accounts a on a.id = e.account_id and a.version = e.version
    where a.id = $1)`
  await tamper(ledger, 'transactions', `update transactions set value_date = $2 where id = ${last}`, [
    account,
    day,
  ])
  for (const id of [account, CASH]) {
    await tamper(
      ledger,
      'entries',
      `update entries e set value_date = $2::date, hash = entry_hash(
          b.hash, e.account_id, e.version, e.transaction_id, e.amount, e.balance_after, e.created_at, $2::date)
        from accounts a join entries b on b.account_id = a.id and b.version = a.version - 1
        where a.id = $1 and e.account_id = a.id and e.version = a.version`,
      [id, day],
    )
    await tamper(
      ledger,
      'accounts',
      `update accounts a set last_hash = e.hash
        from entries e where a.id = $1 and e.account_id = a.id and e.version = a.version`,
      [id],
    )
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'proofs-'))
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  for (let i = 0; i < 6; i++) accounts.push(await ledger.open({ overdraftLimit: 50n }))
  for (let round = 1; round <= 5; round++) {
    const used = accounts.slice(0, round + 1)
    await ledger.post(
      ...used.map((account, i) => deposit(account, 1_000 * round + i)),
      ...used.map((account, i) => transfer(account, used[(i + 1) % used.length]!, 10 + i)),
    )
    for (const account of used.slice(0, 3)) {
      await ledger.post(withdrawal(account, 3))
      await redate(account, round % 2 ? '2026-03-03' : '1999-12-31')
    }
    await sealer.seal()
  }
})
afterAll(async () => {
  await sealer.stop()
  await ledger.close()
  rmSync(folder, { recursive: true })
})

test('every true proof holds: of each account, from each version, to each seal', async () => {
  const proofs: AccountProof[] = []
  for (const account of [...accounts, CASH]) {
    const whole = await proofOf(account)
    for (const { version } of whole.entries) {
      proofs.push(await proofOf(account, version - 1))
      proofs.push(await proofOf(account, 0, version))
    }
    // The accounts joined one after the other: the third is not in the first seal.
    const first = Math.max(1, accounts.indexOf(account))
    for (let seal = first; seal <= 5; seal++) proofs.push(await proofOf(account, 0, 1, seal))
  }
  expect(proofs.length).toBeGreaterThan(150)
  const days = proofs.flatMap(({ entries }) => entries.map((entry) => entry.value_date))
  expect(new Set(days)).toEqual(new Set([null, '2026-03-03', '1999-12-31']))
  expect(new Set(proofs.map(({ path }) => path.length)).size).toBeGreaterThan(2)
  expect(new Set(await judge(proofs))).toEqual(new Set(['holds']))
})

/** Changes the last character of a text: of a hex digit to another one, of a decimal digit likewise. */
const other = (text: string): string => text.slice(0, -1) + (text.endsWith('1') ? '2' : '1')
const more = (amount: string): string => String(BigInt(amount) + 1n)
/** Returns a number whose last eight bytes are the same. */
const muchMore = (amount: string): string => String(BigInt(amount) + 2n ** 64n)
const lines = (note: string, change: (lines: string[]) => void): string => {
  const all = note.split('\n')
  change(all)
  return all.join('\n')
}

const jwk = JSON.parse(sealKey.privateJwks).keys[0]
const strangersKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

const dated = (proof: AccountProof, day?: string) =>
  proof.entries.find((entry) => (day ? entry.value_date === day : entry.value_date !== null))!

/** Returns a note with this text, signed with the bank's own key. */
function signedByTheBank(text: string, note: string): string {
  const signature = sign(null, Buffer.from(text), createPrivateKey({ key: jwk, format: 'jwk' }))
  const id = Buffer.from(note.split(' ').at(-1)!, 'base64').subarray(0, 4)
  return `${text}\n— microbank.dev/ledger ${Buffer.concat([id, signature]).toString('base64')}\n`
}

type Change = (proof: AccountProof, stranger: AccountProof) => void
const falsified: Record<string, Change> = {
  'another account': (p, stranger) => (p.account = stranger.account),
  'another opening version': (p) => p.opening.version++,
  'another opening hash': (p) => (p.opening.hash = other(p.opening.hash)),
  'an opening hash cut short': (p) => (p.opening.hash = p.opening.hash.slice(2)),
  'an empty opening hash': (p) => (p.opening.hash = ''),
  'another opening balance': (p) => (p.opening.balance_minor = more(p.opening.balance_minor)),
  'an opening as of the beginning': (p) =>
    (p.opening = { version: 0, hash: '0'.repeat(64), balance_minor: '0' }),
  'the opening of another account': (p, stranger) => (p.opening = stranger.opening),
  'no entries': (p) => (p.entries = []),
  'no entries, and an opening at the leaf with another balance': (p) => {
    p.entries = []
    p.opening = { version: p.leaf.version, hash: p.leaf.hash, balance_minor: '1000000' }
  },
  'a balance that is not written as such': (p) => (p.opening.balance_minor = ` ${p.opening.balance_minor}`),
  'no first entry': (p) => p.entries.shift(),
  'no last entry': (p) => p.entries.pop(),
  'no entry in the middle': (p) => p.entries.splice(1, 1),
  'no entry in the middle, the others renumbered': (p) => {
    p.entries.splice(1, 1)
    p.entries.forEach((entry, i) => (entry.version = p.opening.version + 1 + i))
  },
  'an entry twice': (p) => p.entries.splice(1, 0, p.entries[1]!),
  'an entry more': (p) => p.entries.push({ ...p.entries.at(-1)!, version: p.leaf.version + 1 }),
  'an entry more, and a leaf that fits': (p) => {
    const last = p.entries.at(-1)!
    p.leaf.version++
    const balance = String(BigInt(last.balance_after_minor) + BigInt(last.amount_minor))
    p.entries.push({ ...last, version: p.leaf.version, balance_after_minor: balance })
  },
  'two entries in the wrong order': (p) => p.entries.splice(0, 2, p.entries[1]!, p.entries[0]!),
  'two transactions exchanged': (p) => {
    const [first, second] = [p.entries[0]!.transaction_id, p.entries[1]!.transaction_id]
    p.entries[0]!.transaction_id = second
    p.entries[1]!.transaction_id = first
  },
  'another version of an entry': (p) => p.entries[0]!.version++,
  'another transaction': (p) => (p.entries[1]!.transaction_id = randomUUID()),
  'another amount': (p) => (p.entries[1]!.amount_minor = more(p.entries[1]!.amount_minor)),
  'another amount, and the balances after it': (p) => {
    p.entries[0]!.amount_minor = more(p.entries[0]!.amount_minor)
    for (const entry of p.entries) entry.balance_after_minor = more(entry.balance_after_minor)
  },
  'a higher opening, and the balances after it': (p) => {
    p.opening.balance_minor = more(p.opening.balance_minor)
    for (const entry of p.entries) entry.balance_after_minor = more(entry.balance_after_minor)
  },
  'an opening higher by what has the same bytes, and the balances after it': (p) => {
    p.opening.balance_minor = muchMore(p.opening.balance_minor)
    for (const entry of p.entries) entry.balance_after_minor = muchMore(entry.balance_after_minor)
  },
  'a last amount higher by what has the same bytes, and its balance': (p) => {
    const last = p.entries.at(-1)!
    last.amount_minor = muchMore(last.amount_minor)
    last.balance_after_minor = muchMore(last.balance_after_minor)
  },
  'an amount that is written in another way': (p) => {
    p.entries[1]!.amount_minor = ` ${p.entries[1]!.amount_minor}`
  },
  'the sign of an amount': (p) => {
    const amount = p.entries[1]!.amount_minor
    p.entries[1]!.amount_minor = amount.startsWith('-') ? amount.slice(1) : `-${amount}`
  },
  'another balance': (p) => (p.entries[1]!.balance_after_minor = more(p.entries[1]!.balance_after_minor)),
  'another last balance': (p) =>
    (p.entries.at(-1)!.balance_after_minor = more(p.entries.at(-1)!.balance_after_minor)),
  'another time': (p) => (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/...Z$/, '001Z')),
  'another day': (p) => (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/^..../, '2031')),
  'a time that does not exist': (p) => (p.entries[0]!.created_at = '2026-02-31T00:00:00.000000Z'),
  'a time without microseconds': (p) =>
    (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/...Z$/, 'Z')),
  // All times of the ledger are whole milliseconds.
  'a time that is written in another way': (p) =>
    (p.entries[0]!.created_at = p.entries[0]!.created_at.replace(/000Z$/, '+00Z')),
  'a value date': (p) => (p.entries.find((entry) => entry.value_date === null)!.value_date = '2026-01-05'),
  'another value date': (p) => (dated(p).value_date = '2026-03-04'),
  'no value date': (p) => (dated(p).value_date = null),
  'a value date that does not exist': (p) => (dated(p, '2026-03-03').value_date = '2026-02-31'),
  'another place in the tree': (p) => p.leaf.index++,
  'a place outside of the tree': (p) => (p.leaf.index += 64),
  'a negative place': (p) => (p.leaf.index = -1),
  'another leaf version': (p) => p.leaf.version++,
  'another leaf hash': (p) => (p.leaf.hash = other(p.leaf.hash)),
  'the leaf of another account': (p, stranger) => (p.leaf = stranger.leaf),
  'another first sibling': (p) => (p.path[0] = other(p.path[0]!)),
  'another last sibling': (p) => (p.path[p.path.length - 1] = other(p.path.at(-1)!)),
  'a sibling cut short': (p) => (p.path[0] = p.path[0]!.slice(2)),
  'no first sibling': (p) => p.path.shift(),
  'no last sibling': (p) => p.path.pop(),
  'no path': (p) => (p.path = []),
  'a sibling more': (p) => p.path.push(p.path[0]!),
  'two siblings exchanged': (p) => p.path.splice(0, 2, p.path[1]!, p.path[0]!),
  'the path of another account': (p, stranger) => (p.path = stranger.path),
  'another origin': (p) => (p.checkpoint = lines(p.checkpoint, (l) => (l[0] = 'microbank.dev/other'))),
  'another size': (p) => (p.checkpoint = lines(p.checkpoint, (l) => (l[1] = String(Number(l[1]) + 1)))),
  'another root': (p) =>
    (p.checkpoint = lines(p.checkpoint, (l) => (l[2] = l[2]!.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))))),
  'one more line': (p) => (p.checkpoint = lines(p.checkpoint, (l) => l.splice(3, 0, 'more'))),
  'another origin, rightly signed': (p) => {
    const [, size, root] = p.checkpoint.split('\n')
    p.checkpoint = signedByTheBank(`microbank.dev/other\n${size}\n${root}\n`, p.checkpoint)
  },
  'one more line, rightly signed': (p) => {
    const text = p.checkpoint.split('\n').slice(0, 3).join('\n')
    p.checkpoint = signedByTheBank(`${text}\nmore\n`, p.checkpoint)
  },
  'no signature': (p) => (p.checkpoint = p.checkpoint.slice(0, p.checkpoint.indexOf('—'))),
  'no checkpoint': (p) => (p.checkpoint = ''),
  'another key’s name': (p) => (p.checkpoint = p.checkpoint.replace('— microbank.dev', '— microbank.org')),
  'another key’s id': (p) =>
    (p.checkpoint = p.checkpoint.replace(/ledger (.)/, (_, c) => `ledger ${c === 'A' ? 'B' : 'A'}`)),
  'another signature': (p) =>
    (p.checkpoint = p.checkpoint.replace(
      /(.)(.{30})\n$/,
      (_, c, rest) => `${c === 'A' ? 'B' : 'A'}${rest}\n`,
    )),
  'a wrong signature beside the right one': (p) => {
    const signature = p.checkpoint.split('\n').at(-2)!
    p.checkpoint += `${signature.replace(/(.)(.{30})$/, (_, c, rest) => `${c === 'A' ? 'B' : 'A'}${rest}`)}\n`
  },
  'a checkpoint of an older tree, rightly signed': (p) => {
    p.checkpoint = signCheckpoint({ size: 3n, root: createHash('sha256').digest() }, [jwk])
  },
  'the right root at another size, rightly signed': (p) => {
    const root = Buffer.from(p.checkpoint.split('\n')[2]!, 'base64')
    p.checkpoint = signCheckpoint({ size: 64n, root }, [jwk])
  },
  'another tree, signed with another key': (p) => {
    const [, size, root] = p.checkpoint.split('\n')
    const checkpoint = { size: BigInt(size!), root: Buffer.from(root!, 'base64') }
    p.checkpoint = signCheckpoint(checkpoint, [strangersKey])
  },
}

test('every falsified proof fails, for each of three accounts', async () => {
  const names = Object.keys(falsified)
  const proofs: AccountProof[] = []
  for (const account of [accounts[0]!, accounts[2]!, CASH]) {
    const stranger = await proofOf(accounts[1]!, 2)
    for (const change of Object.values(falsified)) {
      const proof = await proofOf(account, 2)
      change(proof, structuredClone(stranger))
      proofs.push(proof)
    }
  }
  const verdicts = await judge(proofs)
  const held = verdicts.flatMap((verdict, i) => (verdict === 'holds' ? [names[i % names.length]] : []))
  expect(held).toEqual([])
  expect(names.length).toBeGreaterThan(50)
  // Each fails for a reason, not because the verifier broke.
  expect(verdicts.filter((verdict) => /undefined|not a function|iterable/.test(verdict))).toEqual([])
})

test('a proof holds under no other key, and not under the key of another name', async () => {
  const proof = await proofOf(accounts[0]!)
  expect(await judge([proof], verifierKey(strangersKey))).toEqual(['the key has not signed the checkpoint'])
  const renamed = sealKey.verifier.replace('microbank.dev', 'microbank.org')
  expect(await judge([proof], renamed)).toEqual(['the key has not signed the checkpoint'])
})

test('while keys change, a proof holds under either', async () => {
  const proof = await proofOf(accounts[0]!)
  const [, size, root] = proof.checkpoint.split('\n')
  const checkpoint = { size: BigInt(size!), root: Buffer.from(root!, 'base64') }
  const both = { ...proof, checkpoint: signCheckpoint(checkpoint, [strangersKey, jwk]) }
  expect(await judge([both])).toEqual(['holds'])
  expect(await judge([both], verifierKey(strangersKey))).toEqual(['holds'])
})
