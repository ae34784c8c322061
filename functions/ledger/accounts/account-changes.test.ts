import { randomUUID } from 'node:crypto'
import { alice, deposit, ending, placing, withdrawal } from '../testing/ledger-fixture.ts'
import { changeFaults, outcome, useChanges } from '../testing/changes-fixture.ts'

const bank = useChanges()

describe('the changes of an account', () => {
  test('say who, when, what and why, newest first; customers don’t learn which operator it was', async () => {
    const account = await bank.ledger.open({ overdraftLimit: 5_00n })
    await bank.freeze(account, { body: { reason: 'Card reported stolen' } })
    await bank.unfreeze(account, { body: { reason: 'Card found again' } })
    await bank.setOverdraft(account, '20.00', { body: { overdraft_limit: '20.00', reason: 'Asked for' } })
    await bank.close(account, { who: 'alice', body: {} })

    const { body } = await bank.get(`/accounts/${account}/changes`)
    const common = { id: expect.any(String), timestamp: expect.stringMatching(/Z$/) }
    const byBank = { ...common, by: 'bank', user_id: bank.operatorId }
    expect(body).toEqual({
      items: [
        { ...common, by: 'owner', user_id: alice, field: 'status', from: 'open', to: 'closed', reason: null },
        { ...byBank, field: 'overdraft_limit', from: '5.00', to: '20.00', reason: 'Asked for' },
        { ...byBank, field: 'status', from: 'frozen', to: 'open', reason: 'Card found again' },
        { ...byBank, field: 'status', from: 'open', to: 'frozen', reason: 'Card reported stolen' },
      ],
      next_cursor: null,
    })
    const seen = await bank.get(`/accounts/${account}/changes`, 'alice')
    expect(seen.body.items).toEqual(
      (body.items as { by: string; user_id: string }[]).map((change) => ({
        ...change,
        user_id: change.by === 'owner' ? alice : null,
      })),
    )
  })

  test('come in pages that show each once', async () => {
    const account = await bank.ledger.open()
    for (let limit = 1; limit <= 5; limit++) await bank.setOverdraft(account, limit)
    const found: string[] = []
    let cursor: string | null = ''
    do {
      const path: string = `/accounts/${account}/changes?limit=2${cursor && `&cursor=${cursor}`}`
      const { body } = await bank.get(path, 'alice')
      expect(body.items.length).toBeLessThanOrEqual(2)
      found.push(...body.items.map(({ to }: { to: string }) => to))
      cursor = body.next_cursor
    } while (cursor)
    expect(found).toEqual(['5.00', '4.00', '3.00', '2.00', '1.00'])
  })

  test('are shown to the owner and to operators only', async () => {
    const account = await bank.ledger.open()
    const path = `/accounts/${account}/changes`
    expect((await bank.get(path, 'alice')).body).toEqual({ items: [], next_cursor: null })
    expect(outcome(await bank.get(path, 'nobody'))).toBe('401 unauthenticated')
    const theirs = await bank.get(path, 'bob')
    expect([outcome(theirs), theirs.body]).toEqual([
      '404 account-not-found',
      (await bank.get(`/accounts/${randomUUID()}/changes`, 'bob')).body,
    ])
  })

  test('of another account are not found by a cursor', async () => {
    const [account, other] = [await bank.ledger.open(), await bank.ledger.open()]
    for (const id of [account, other])
      for (const limit of [1, 2]) expect(outcome(await bank.setOverdraft(id, limit))).toBe(200)
    const { next_cursor } = (await bank.get(`/accounts/${other}/changes?limit=1`)).body
    const { body } = await bank.get(`/accounts/${account}/changes?cursor=${next_cursor}`)
    expect(body).toEqual({ items: [], next_cursor: null })
    for (const query of ['limit=0', 'limit=201', 'cursor=x', 'cursor=', 'status=open'])
      expect(outcome(await bank.get(`/accounts/${account}/changes?${query}`))).toBe('400 invalid-input')
  })
})

test('the audit has each change, once for its key, and who read the changes of another', async () => {
  const account = await bank.ledger.open()
  const key = randomUUID()
  await bank.freeze(account, { key })
  await bank.freeze(account, { key })
  await bank.freeze(account)
  await bank.setOverdraft(account, '0.00')
  await bank.unfreeze(account)
  await bank.setOverdraft(account, '5.00')
  for (const who of ['operator', 'alice'] as const) await bank.get(`/accounts/${account}/changes`, who)
  await bank.close(account, { who: 'alice', body: {} })
  const rows = await bank.ledger.db.query<{ operation: string }>({
    text: `select operation, caller_id, caller_role, owner_id, outcome, details from audit
      where subject = $1 order by id`,
    values: [account],
  })
  const asOperator = {
    caller_id: bank.operatorId,
    caller_role: 'operator',
    owner_id: alice,
    outcome: 'changed',
  }
  expect(rows).toEqual([
    { ...asOperator, operation: 'freeze-account', details: { reason: 'Asked for by phone' } },
    { ...asOperator, operation: 'unfreeze-account', details: { reason: 'Asked for by phone' } },
    {
      ...asOperator,
      operation: 'change-account',
      details: { overdraft_limit: '5.00', reason: 'Salary comes in each month' },
    },
    { ...asOperator, operation: 'accounts', outcome: 'read', details: { limit: 50 } },
    {
      ...asOperator,
      operation: 'close-account',
      caller_id: alice,
      caller_role: 'customer',
      details: null,
    },
  ])
})

describe('the table of changes', () => {
  const run = (text: string, ...values: unknown[]) => bank.ledger.owner.query({ text, values })

  test('is append-only, and closed to the functions', async () => {
    const account = await bank.ledger.open()
    await bank.freeze(account)
    for (const change of ['update account_changes set reason = null', 'delete from account_changes']) {
      const text = `${change} where account_id = $1`
      await expect(run(text, account)).rejects.toThrow('is append-only')
      await expect(bank.ledger.db.query({ text, values: [account] })).rejects.toThrow('permission denied')
    }
    await expect(run('truncate account_changes')).rejects.toThrow('is append-only')
    const insert = `insert into account_changes (account_id, version, at, by, field, "from", "to")
      values ($1, 2, now(), $1, 'status', 'frozen', 'open')`
    await expect(bank.ledger.db.query({ text: insert, values: [account] })).rejects.toThrow(
      'permission denied',
    )
  })

  test('keeps its order of time when the clock is set back', async () => {
    const account = await bank.ledger.open()
    // As if the clock had been two hours ahead for a while.
    await run(`update accounts set posted_at = now() + interval '2 hours' where id = $1`, account)
    await bank.freeze(account)
    await run(`update accounts set posted_at = now() where id = $1`, account)
    await bank.unfreeze(account)
    const rows = await bank.ledger.db.query<{ version: bigint; is_ordered: boolean }>({
      text: `select version, at >= max(at) over (order by version) as is_ordered from account_changes
        where account_id = $1 order by version`,
      values: [account],
    })
    expect(rows).toEqual([
      { version: 1n, is_ordered: true },
      { version: 2n, is_ordered: true },
    ])
  })

  test.each([
    ['a status set by hand', `update accounts set status = 'frozen' where id = $1`, 'status'],
    ['a limit set by hand', `update accounts set overdraft_limit = 7 where id = $1`, 'overdraft_limit'],
    ['a change that is gone', `delete from account_changes where account_id = $1 and version = 2`, 'gap'],
    [
      'other values',
      `update account_changes set "from" = 'closed' where account_id = $1 and version = 3`,
      'from',
    ],
    [
      'another time',
      `update account_changes set at = now() + '1 h' where account_id = $1 and version = 2`,
      'time',
    ],
  ])('shows %s in verify_changes()', async (_name, tampering, problem) => {
    const account = await bank.ledger.open()
    await bank.setOverdraft(account, 5)
    await bank.freeze(account)
    await bank.unfreeze(account)
    expect(await changeFaults(bank.ledger)).toEqual([])
    await bank.ledger.owner
      .transaction(async (tx) => {
        await tx.query({ text: 'alter table account_changes disable trigger append_only' })
        await tx.query({ text: tampering, values: [account] })
        const found = await tx.query({ text: 'select * from verify_changes()' })
        expect(found).toContainEqual({ account_id: account, problem })
        throw new Error('undo')
      })
      .catch((error: Error) => expect(error.message).toBe('undo'))
  })

  test('shows a closed account with money in verify_changes()', async () => {
    const account = await bank.ledger.open()
    await bank.close(account)
    await run('update accounts set held = 1, overdraft_limit = 1 where id = $1', account)
    expect(await changeFaults(bank.ledger)).toEqual([{ account_id: account, problem: 'closed' }])
    await run('update accounts set held = 0, overdraft_limit = 0 where id = $1', account)
  })
})

describe('the available balance of the past', () => {
  test('has the overdraft limit of that moment', async () => {
    const account = await bank.ledger.open({ overdraftLimit: 5_00n })
    await bank.ledger.post(deposit(account, 10_00))
    await bank.setOverdraft(account, '20.00')
    await bank.ledger.post(withdrawal(account, 25_00))
    await bank.setOverdraft(account, '15.00')
    // The events in the order in which they happened, each with what was available after it.
    const { body } = await bank.get(`/accounts/${account}/changes`)
    const [lowered, raised] = body.items.map(({ timestamp }: { timestamp: string }) => timestamp)
    const entries = await bank.ledger.db.query<{ at: Date }>({
      text: 'select created_at as at from entries where account_id = $1 order by version',
      values: [account],
    })
    const [deposited, withdrawn] = entries.map(({ at }) => at.toISOString())
    const moments = [
      [deposited, '10.00', '15.00'],
      [raised, '10.00', '30.00'],
      [withdrawn, '-15.00', '5.00'],
      [lowered, '-15.00', '0.00'],
    ] as [string, string, string][]
    for (const [n, [moment, balance, available]] of moments.entries()) {
      // Of what happened in the same millisecond, the last counts.
      if (moment === moments[n + 1]?.[0]) continue
      const then = await bank.get(`/accounts/${account}/balance?as_of=${moment}`, 'alice')
      expect(then.body).toEqual({ balance, available, as_of: moment })
    }
    expect((await bank.get(`/accounts/${account}/balance`)).body).toMatchObject({ available: '0.00' })
  })

  test('has what was held at that moment', async () => {
    const account = await bank.ledger.open({ overdraftLimit: 5_00n })
    const hold = placing(account, 4_00)
    await bank.ledger.post(hold)
    await bank.setOverdraft(account, '4.00')
    await bank.ledger.post(ending('release', hold))
    const entries = await bank.ledger.db.query<{ at: Date }>({
      text: `select created_at as at from hold_entries where account_id = $1
        union all select at from account_changes where account_id = $1 order by at`,
      values: [account],
    })
    const moments = entries.map(({ at }) => at.toISOString())
    const shown = ['1.00', '0.00', '4.00']
    for (const [n, moment] of moments.entries()) {
      if (moment === moments[n + 1]) continue
      const then = await bank.get(`/accounts/${account}/balance?as_of=${moment}`)
      expect(then.body).toMatchObject({ balance: '0.00', available: shown[n] })
    }
  })

  test('is null before the account was opened, and its first limit afterwards', async () => {
    const account = await bank.ledger.open({ overdraftLimit: 5_00n })
    const { created_at } = (await bank.get(`/accounts/${account}`)).body
    const before = new Date(Date.parse(created_at) - 1).toISOString()
    expect((await bank.get(`/accounts/${account}/balance?as_of=${before}`)).body.available).toBeNull()
    const opened = await bank.get(`/accounts/${account}/balance?as_of=${created_at}`)
    expect(opened.body).toMatchObject({ balance: '0.00', available: '5.00' })
  })
})
