import fc from 'fast-check'
import { until } from '../../../tests/support/until.ts'
import type { Transaction } from '../../host/database/database.ts'
import { postTransactions } from '../posting/post.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import { deposit, ending, placing, transfer, withdrawal } from '../testing/ledger-fixture.ts'
import { changeFaults, outcome, useChanges } from '../testing/changes-fixture.ts'

/** Changes of accounts among postings at the same time, over connections of their own. */

const bank = useChanges()

interface StateRow {
  status: string
  balance: bigint
  held: bigint
  version: bigint
}

const stateOf = async (id: string): Promise<StateRow> => {
  const text = 'select status, balance, held, version from accounts where id = $1'
  return (await bank.ledger.db.query<StateRow>({ text, values: [id] }))[0]!
}

test('of the transfers during which an account is frozen, none after the commit moves money', async () => {
  const [account, other] = [await bank.ledger.open(), await bank.ledger.open()]
  await bank.ledger.post(deposit(account, 1_000_000), deposit(other, 1_000_000))
  const outcomes: string[] = []
  let frozen: StateRow | undefined
  const freeze = async (): Promise<void> => {
    // The state that the change itself leaves.
    const [row] = await bank.ledger.db.query<StateRow>({
      text: `select (account).* from change_account('freeze', $1, null, null, $1, 'Stolen')`,
      values: [account],
    })
    frozen = row
  }
  const lane = async (first: number): Promise<void> => {
    const ends = first % 2 ? ([account, other] as const) : ([other, account] as const)
    // Ten transfers at least, and on until one is refused.
    for (let n = 0; n < 10 || outcomes.at(-1) !== 'account-frozen'; n++) {
      if (first === 0 && n === 5) await freeze()
      const isLate = frozen !== undefined
      const [posted] = await bank.ledger.post(transfer(...ends, 1 + (n % 7)))
      outcomes.push(posted!.outcome)
      if (isLate) expect(posted!.outcome).toBe('account-frozen')
    }
  }
  await Promise.all(Array.from({ length: 10 }, (_, n) => lane(n)))

  expect(await stateOf(account)).toMatchObject({
    status: 'frozen',
    balance: frozen!.balance,
    version: frozen!.version,
  })
  expect(new Set(outcomes)).toEqual(new Set(['posted', 'account-frozen']))
  expect(outcomes.length).toBeGreaterThanOrEqual(100)
  // One entry is the deposit's.
  expect(BigInt(outcomes.filter((name) => name === 'posted').length)).toBe(frozen!.version - 1n)
  const [own, others] = await bank.ledger.balances(account, other)
  expect(own! + others!).toBe(2_000_000n)
  expect(await bank.ledger.faults()).toEqual([])
})

/** Runs `first` in a transaction, starts `second` over another connection, and commits once that waits. */
async function whileOpen<T>(
  first: (tx: Transaction) => Promise<unknown>,
  second: () => Promise<T>,
): Promise<T> {
  let waiting: Promise<T> | undefined
  await bank.ledger.db.transaction(async (tx) => {
    await first(tx)
    const [own] = await tx.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' })
    waiting = second()
    const blocked = { text: 'select from pg_locks where $1 = any(pg_blocking_pids(pid))', values: [own!.pid] }
    await until(async () => (await bank.ledger.owner.query(blocked)).length > 0, {
      what: 'the second to wait',
    })
  })
  return waiting!
}

test('a change waits for a posting that has not committed, and is judged by it', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 100n })
  const post = (request: PostingRequest) => (tx: Transaction) => postTransactions(tx, [request])
  const closed = await whileOpen(post(deposit(account, 5)), () => bank.close(account, { who: 'alice' }))
  expect(outcome(closed)).toBe('409 account-not-empty')
  const lowered = await whileOpen(post(withdrawal(account, 6)), () => bank.setOverdraft(account, 0))
  expect(outcome(lowered)).toBe('409 overdraft-in-use')
  const frozen = await whileOpen(post(withdrawal(account, 1)), () => bank.freeze(account))
  expect(frozen).toMatchObject({ status: 200, body: { balance: '-0.02' } })
})

test('a posting waits for a change that has not committed, and is judged by it', async () => {
  const account = await bank.ledger.open()
  const change = (action: string, limit?: number) => (tx: Transaction) =>
    tx.query({
      text: `select change_account($1, $2, null, $3, $2, 'Asked for by phone')`,
      values: [action, account, limit],
    })
  const post = async (request: PostingRequest) => (await bank.ledger.post(request))[0]!.outcome
  expect(await whileOpen(change('change-overdraft', 5), () => post(withdrawal(account, 5)))).toBe('posted')
  await post(deposit(account, 5))
  expect(await whileOpen(change('freeze'), () => post(deposit(account, 5)))).toBe('account-frozen')
  expect(await whileOpen(change('unfreeze'), () => post(deposit(account, 5)))).toBe('posted')
  await post(withdrawal(account, 5))
  expect(await whileOpen(change('close'), () => post(deposit(account, 5)))).toBe('account-closed')
})

test('an account that is closed while deposits come is closed without money, or not at all', async () => {
  const closed: string[] = []
  for (let round = 0; round < 40; round++) {
    const account = await bank.ledger.open()
    const [answer, ...posted] = await Promise.all([
      bank.close(account, { who: 'alice' }),
      ...Array.from({ length: 4 }, () => bank.ledger.post(deposit(account, 5))),
    ])
    const names = posted.flat().map(({ outcome: name }) => name)
    const money = 5n * BigInt(names.filter((name) => name === 'posted').length)
    if (outcome(answer) === 200) {
      closed.push(account)
      expect(names).toEqual(Array(4).fill('account-closed'))
    } else expect([outcome(answer), new Set(names)]).toEqual(['409 account-not-empty', new Set(['posted'])])
    expect(await bank.ledger.balances(account)).toEqual([money])
  }
  for (const account of closed)
    expect(await stateOf(account)).toEqual({ status: 'closed', balance: 0n, held: 0n, version: 0n })
})

type Step = {
  kind: 'deposit' | 'withdraw' | 'pay' | 'hold' | 'release' | 'freeze' | 'unfreeze' | 'close' | 'limit'
  on: 0 | 1
  n: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'deposit',
    'deposit',
    'withdraw',
    'withdraw',
    'pay',
    'hold',
    'release',
    'release',
    'freeze',
    'unfreeze',
    'unfreeze',
    'close',
    'limit',
    'limit',
    'limit',
  ),
  on: fc.constantFrom(0, 1),
  n: fc.integer({ min: 0, max: 3 }),
})

test('whatever happens to two accounts at once, no rule is broken', async () => {
  const take = async (
    { kind, on, n }: Step,
    accounts: readonly string[],
    holds: PostingRequest[],
  ): Promise<unknown> => {
    const account = accounts[on]!
    switch (kind) {
      case 'deposit':
        return bank.ledger.post(deposit(account, n + 1))
      case 'withdraw':
        return bank.ledger.post(withdrawal(account, n + 1))
      case 'pay':
        return bank.ledger.post(transfer(account, accounts[1 - on]!, n + 1))
      case 'hold':
        holds.push(placing(account, n + 1))
        return bank.ledger.post(holds.at(-1)!)
      case 'release':
        return holds.length > 0 && bank.ledger.post(ending('release', holds.pop()!))
      case 'limit':
        return bank.setOverdraft(account, `0.0${n}`)
      default:
        return bank[kind](account)
    }
  }
  let closedAccounts = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 4, maxLength: 10, size: 'max' }), { minLength: 2, maxLength: 6 }),
      async (lanes) => {
        const accounts = [await bank.ledger.open(), await bank.ledger.open()]
        await Promise.all(
          lanes.map(async (steps) => {
            const holds: PostingRequest[] = []
            for (const one of steps) await take(one, accounts, holds)
          }),
        )
        for (const account of accounts) {
          const state = await stateOf(account)
          if (state.status === 'closed') closedAccounts++
          expect(await entriesOutOfState(account)).toEqual([])
          expect(await momentsBelowLimit(account)).toEqual([])
        }
      },
    ),
    { numRuns: 40 },
  )
  expect(closedAccounts).toBeGreaterThan(0)
  // No closed account has money, no account is below its limit, and every state follows from its changes.
  expect([...(await bank.ledger.faults()), ...(await changeFaults(bank.ledger))]).toEqual([])
})

/** Returns entries that an account got between a change that forbids them and the one that allows them
 * again. Entries and changes have their times while the account's row is locked, but only to the millisecond,
 * so those at its edges can't be told. */
const entriesOutOfState = (account: string): Promise<unknown[]> =>
  bank.ledger.db.query({
    text: `select e.* from entries e
      join (
        select at, "to", lead(at, 1, 'infinity') over (order by version) as until
        from account_changes where account_id = $1 and field = 'status'
      ) c on c."to" <> 'open' and e.created_at > c.at and e.created_at < c.until
      where e.account_id = $1`,
    values: [account],
  })

/** Returns the moments at which an account, as it is told later, had less than its limit. */
const momentsBelowLimit = (account: string): Promise<unknown[]> =>
  bank.ledger.db.query({
    text: `select at, balance_at(a, at), held_at(a, at), overdraft_at(a, at)
      from accounts a, lateral (
        select created_at as at from entries where account_id = a.id
        union select created_at from hold_entries where account_id = a.id
        union select at from account_changes where account_id = a.id
      ) moments
      where id = $1 and balance_at(a, at) - held_at(a, at) + overdraft_at(a, at) < 0`,
    values: [account],
  })
