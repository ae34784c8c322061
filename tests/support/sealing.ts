import { setTimeout as delay } from 'node:timers/promises'
import type { HoldProof } from '../../functions/ledger/seals/hold-proof.ts'
import type { AccountProof } from '../../functions/ledger/seals/proof.ts'
import { loadVerifier } from '../../functions/ledger/testing/seals-fixture.ts'
import { openCheckpoint, type Checkpoint } from '../../functions/host/transparency/checkpoint.ts'
import { isConsistent } from '../../functions/host/transparency/consistency.ts'
import type { Bank } from './bank.ts'
import type { Answer } from './host.ts'
import { until } from './until.ts'

/** Has the books checked, then sealed. Either may fail while processes die. */
export async function tryToSeal(bank: Bank): Promise<void> {
  for (const name of ['sweep-ledger', 'seal-ledger']) await bank.ping(name).catch(() => undefined)
}

export const countSeals = async (bank: Bank): Promise<number> =>
  (await bank.sql('ledger', 'select from seals')).length

/** Seals again and again while `work` runs, and until at least one seal is made. */
export async function whileSealing(bank: () => Bank, work: () => Promise<void>): Promise<void> {
  const before = await countSeals(bank())
  let isOver = false
  const sealing = (async () => {
    while (!isOver) {
      await tryToSeal(bank())
      await delay(50)
    }
  })()
  try {
    await work()
    await until(async () => (await countSeals(bank())) > before, { timeoutMs: 240_000, what: 'a seal' })
  } finally {
    isOver = true
    await sealing
  }
}

/** What no leaf covers of accounts' entries and of their holds, and a row if there are leaves that no seal
 * covers. */
const UNSEALED = `
  select from accounts a
  where a.version > coalesce((select max(s.version) from sealed s where s.account_id = a.id), 0)
  union all
  select from hold_entries e
  where e.version > coalesce((select max(s.version) from sealed_holds s where s.account_id = e.account_id), 0)
  union all
  select where tree_size() > coalesce((select max(size) from seals), 0)`

/** Seals what is left, and checks that what was signed is one tree that only grew: in the ledger, in each
 * event, and at the witness, who has missed none. Then that each transaction and each hold of a customer can
 * be proved under the last seal. `accounts` are all of the customers'. */
export async function checkSeals(
  bank: Bank,
  operator: string,
  accounts: readonly { id: string }[],
): Promise<void> {
  await until(
    async () => {
      await tryToSeal(bank)
      return (await bank.sql('ledger', UNSEALED)).length === 0
    },
    { timeoutMs: 240_000, everyMs: 250, what: 'all to be sealed' },
  )
  const keys = await publicKeys(bank)
  const seals = await checkTree(bank, keys)
  await checkEvents(bank, keys, seals)
  await checkProofs(bank, operator, keys[0]!, accounts)
}

async function publicKeys(bank: Bank): Promise<string[]> {
  const { body } = await bank.call('GET', '/.well-known/microbank-seal-keys')
  return (body as string).trim().split('\n')
}

/** Returns what is signed, by its size; none has two roots. */
function rootsOf(notes: readonly string[], keys: readonly string[]): Map<bigint, string> {
  const roots = new Map<bigint, string>()
  for (const note of notes) {
    const { size, root } = openCheckpoint(note, keys)
    const text = root.toString('hex')
    expect([size, roots.get(size) ?? text]).toEqual([size, text])
    roots.set(size, text)
  }
  return roots
}

async function checkTree(bank: Bank, keys: readonly string[]): Promise<Map<bigint, string>> {
  const rows = await bank.sql<{ note: string }>('ledger', 'select note from seals order by n')
  const opened = rows.map(({ note }): Checkpoint => openCheckpoint(note, keys))
  for (const [i, newer] of opened.entries()) {
    const older = opened[i - 1]
    if (!older) continue
    expect(newer.size).toBeGreaterThan(older.size)
    const path = `/api/seals/consistency?from=${older.size}&to=${newer.size}`
    const { body } = await bank.call('GET', path)
    const proof = (body.consistency as string[]).map((hash) => Buffer.from(hash, 'hex'))
    expect([path, isConsistent(older, newer, proof)]).toEqual([path, true])
  }
  return rootsOf(
    rows.map(({ note }) => note),
    keys,
  )
}

/** Checks that each seal has one event, and that the witness has kept each and refused none. */
async function checkEvents(
  bank: Bank,
  keys: readonly string[],
  seals: ReadonlyMap<bigint, string>,
): Promise<void> {
  const told = await bank.sql<{ note: string }>(
    'ledger',
    `select data ->> 'checkpoint' as note from outbox where type = 'ledger.sealed'`,
  )
  expect(told).toHaveLength(seals.size)
  const notes = told.map(({ note }) => note)
  expect(rootsOf(notes, keys)).toEqual(seals)
  const witnessed = await until(
    async () => {
      // It publishes what a process that died has left.
      await bank.ping('sweep-ledger')
      const rows = await bank.sql<{ note: string }>('notifications', 'select note from witnessed_seals')
      return rows.length >= seals.size && rows.map(({ note }) => note)
    },
    { timeoutMs: 240_000, everyMs: 250, what: `${seals.size} seals at their witness` },
  )
  expect(witnessed).toHaveLength(seals.size)
  expect(rootsOf([...witnessed, ...notes], keys)).toEqual(seals)
  const refused = `select event from dead_letters where event_type = 'ledger.sealed'`
  expect(await bank.sql('notifications', refused)).toEqual([])
}

async function checkProofs(
  bank: Bank,
  token: string,
  key: string,
  accounts: readonly { id: string }[],
): Promise<void> {
  const verifyProof = await loadVerifier()
  const proven = { transactions: new Set<string>(), holds: new Set<string>() }
  const ask = async (path: string): Promise<Answer> =>
    until(async () => {
      const answer = await bank.call('GET', `/api${path}`, { token })
      return answer.status < 500 && answer.status !== 429 && answer
    })
  for (const { id } of accounts) {
    const { status, body } = await ask(`/accounts/${id}/proof`)
    expect([id, status, body.detail]).toEqual([id, 200, undefined])
    verifyProof(body as AccountProof, key)
    for (const entry of (body as AccountProof).entries) proven.transactions.add(entry.transaction_id)
    const ofHolds = await ask(`/accounts/${id}/holds/proof`)
    // An account that has never held anything has none.
    if (ofHolds.status === 409) continue
    verifyProof(ofHolds.body as HoldProof, key)
    for (const entry of (ofHolds.body as HoldProof).entries) proven.holds.add(entry.hold_id)
  }
  const [booked, held] = await Promise.all([
    bank.sql<{ id: string }>('ledger', 'select id from transactions where balance_after is not null'),
    bank.sql<{ id: string }>('ledger', 'select id from holds'),
  ])
  expect(proven.transactions).toEqual(new Set(booked.map(({ id }) => id)))
  expect(proven.holds).toEqual(new Set(held.map(({ id }) => id)))
}
