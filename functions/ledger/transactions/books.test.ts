import { createHash } from 'node:crypto'
import { sqlstate, type Database } from '../../host/database/database.ts'
import { deposit, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'

let ledger: TestLedger
let account: string

beforeEach(async () => {
  ledger = await testLedger()
  account = await ledger.open()
  const other = await ledger.open()
  await ledger.post(deposit(account, 100), transfer(account, other, 30))
  await ledger.post(deposit(account, 5))
})
afterEach(() => ledger.close())

const stateOf = async (db: Database, text: string): Promise<string | undefined> => {
  try {
    await db.query({ text })
    return undefined
  } catch (error) {
    return sqlstate(error)
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'
const APPEND_ONLY = 'MB001'

test('the functions’ role can read the books but can’t write them', async () => {
  for (const table of ['accounts', 'transactions', 'entries', 'holds']) {
    await ledger.db.query({ text: `select * from ${table}` })
    expect(await stateOf(ledger.db, `insert into ${table} default values`)).toBe(INSUFFICIENT_PRIVILEGE)
    expect(await stateOf(ledger.db, `delete from ${table}`)).toBe(INSUFFICIENT_PRIVILEGE)
    expect(await stateOf(ledger.db, `truncate ${table}`)).toBe(INSUFFICIENT_PRIVILEGE)
  }
  expect(await stateOf(ledger.db, 'update accounts set balance = 1')).toBe(INSUFFICIENT_PRIVILEGE)
  expect(await stateOf(ledger.db, 'update entries set amount = 1')).toBe(INSUFFICIENT_PRIVILEGE)
  expect(await stateOf(ledger.db, `update transactions set status = 'reversed'`)).toBe(INSUFFICIENT_PRIVILEGE)
})

test('the owner of the database can’t change or remove entries either', async () => {
  expect(await stateOf(ledger.owner, 'update entries set amount = 1')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, 'delete from entries')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, 'truncate entries')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, 'update entries set amount = 1 where false')).toBe(APPEND_ONLY)
})

test('the only change of a transaction that is allowed is to mark it as reversed', async () => {
  expect(await stateOf(ledger.owner, 'delete from transactions')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, 'truncate transactions')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, 'update transactions set amount = amount + 1')).toBe(APPEND_ONLY)
  expect(await stateOf(ledger.owner, `update transactions set status = 'reversed', amount = 1`)).toBe(
    APPEND_ONLY,
  )
  expect(
    await stateOf(ledger.owner, `update transactions set status = 'reversed', reversed_by = uuidv7()`),
  ).toBeUndefined()
})

test('anybody can compute the hash of an entry again', async () => {
  const entries = await ledger.db.query<{
    version: bigint
    transaction_id: string
    amount: bigint
    balance_after: bigint
    hash: Buffer
    microseconds: bigint
  }>({
    text: `select *, (extract(epoch from created_at - timestamptz '2000-01-01 00:00Z') * 1000000)::bigint as microseconds
      from entries where account_id = $1 order by version`,
    values: [account],
  })
  expect(entries).toHaveLength(3)
  const uuid = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')
  const int8 = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return bytes
  }
  let previous = Buffer.alloc(32)
  for (const entry of entries) {
    const hash = createHash('sha256')
    for (const part of [
      previous,
      uuid(account),
      int8(entry.version),
      uuid(entry.transaction_id),
      int8(entry.amount),
      int8(entry.balance_after),
      int8(entry.microseconds),
    ])
      hash.update(part)
    expect(entry.hash).toEqual(hash.digest())
    previous = entry.hash as typeof previous
  }
})

test('no account can be brought below its limit, whichever role tries', async () => {
  const CHECK_VIOLATION = '23514'
  expect(await stateOf(ledger.owner, 'update accounts set balance = -1')).toBe(CHECK_VIOLATION)
  expect(await stateOf(ledger.owner, 'update accounts set held = balance + 1')).toBe(CHECK_VIOLATION)
})

describe('with the triggers off', () => {
  const tampered = async (text: string): Promise<unknown[]> => {
    expect(await ledger.faults()).toEqual([])
    await ledger.owner.transaction(async (tx) => {
      for (const table of ['entries', 'transactions'])
        await tx.query({ text: `alter table ${table} disable trigger user` })
      await tx.query({ text, values: [account] })
    })
    return ledger.faults()
  }

  test.each([
    [
      'another amount',
      'update entries set amount = 99, balance_after = 99 where account_id = $1 and version = 1',
    ],
    [
      'another transaction',
      'update entries set transaction_id = uuidv7() where account_id = $1 and version = 2',
    ],
    [
      'an earlier time',
      `update entries set created_at = created_at - interval '1 day' where account_id = $1 and version = 1`,
    ],
    ['another hash', `update entries set hash = sha256('') where account_id = $1 and version = 3`],
    ['a removed entry', 'delete from entries where account_id = $1 and version = 2'],
    ['a removed last entry', 'delete from entries where account_id = $1 and version = 3'],
    ['a removed transaction', 'delete from transactions where account_id = $1'],
    ['a balance out of thin air', 'update accounts set balance = balance + 1 where id = $1'],
  ])('%s is found', async (_name, text) => {
    expect(await tampered(text)).not.toEqual([])
  })

  test('an amount changed together with its hash is found by the next entry', async () => {
    const faults = await tampered(
      `update entries set created_at = created_at - interval '1 ms',
         hash = entry_hash(decode(repeat('00', 32), 'hex'), account_id, version, transaction_id, amount, balance_after,
           created_at - interval '1 ms')
       where account_id = $1 and version = 1`,
    )
    expect(faults).toEqual([{ proof: 'chains', fault: { account_id: account, version: 2, problem: 'hash' } }])
  })

  test('a last entry changed together with its hash is found by the account', async () => {
    const faults = await tampered(
      `update entries e set created_at = e.created_at + interval '1 ms',
         hash = entry_hash(before.hash, e.account_id, e.version, e.transaction_id, e.amount, e.balance_after,
           e.created_at + interval '1 ms')
       from entries before
       where e.account_id = $1 and e.version = 3 and before.account_id = $1 and before.version = 2`,
    )
    expect(faults).toMatchObject([
      { proof: 'balances', fault: { account_id: account, balance: 75, entry_sum: 75 } },
    ])
  })
})
