import { randomUUID } from 'node:crypto'
import { alice, deposit, placing, withdrawal } from './testing/ledger-fixture.ts'
import { outcome, useChanges } from './testing/changes-fixture.ts'
import changeAccount from './change-account.ts'

const bank = useChanges()

test('an operator sets the limit, and postings go down to it', async () => {
  const account = await bank.ledger.open()
  const answer = await bank.setOverdraft(account, '500.00')
  expect([answer.status, answer.body]).toEqual([200, (await bank.get(`/accounts/${account}`)).body])
  expect(answer.body).toMatchObject({ overdraft_limit: '500.00', balance: '0.00', available: '500.00' })
  const outcomes = await bank.ledger.post(withdrawal(account, 500_00), withdrawal(account, 1))
  expect(outcomes.map(({ outcome: name }) => name)).toEqual(['posted', 'insufficient-funds'])
  expect(await bank.events('overdraft.changed', account)).toEqual([
    {
      account_id: account,
      user_id: alice,
      currency: 'USD',
      overdraft_limit: '500.00',
      previous_overdraft_limit: '0.00',
      reason: 'Salary comes in each month',
      changed_by: bank.operatorId,
      timestamp: expect.stringMatching(/Z$/),
    },
  ])
})

test('it can’t be lowered below what is used: the debt, and what holds have set aside', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 500_00n })
  await bank.ledger.post(withdrawal(account, 300_00))
  expect(outcome(await bank.setOverdraft(account, '299.99'))).toBe('409 overdraft-in-use')
  expect(outcome(await bank.setOverdraft(account, '300.00'))).toBe(200)
  await bank.ledger.post(deposit(account, 350_00))
  const hold = placing(account, 60_00)
  await bank.ledger.post(hold)
  expect(outcome(await bank.setOverdraft(account, '9.99'))).toBe('409 overdraft-in-use')
  expect(outcome(await bank.setOverdraft(account, '10.00'))).toBe(200)
  // A hold that is due sets nothing aside any more.
  await bank.makeDue(hold)
  expect(await bank.setOverdraft(account, 0)).toMatchObject({ body: { overdraft_limit: '0.00' } })
})

test('the present limit changes nothing and is not told', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 5_00n })
  expect(await bank.setOverdraft(account, '5.00')).toMatchObject({ body: { overdraft_limit: '5.00' } })
  expect((await bank.get(`/accounts/${account}/changes`)).body.items).toEqual([])
  expect(await bank.events('overdraft.changed', account)).toEqual([])
})

test('a frozen account’s limit can be changed, a closed one’s can’t', async () => {
  const account = await bank.ledger.open()
  await bank.freeze(account)
  expect(await bank.setOverdraft(account, 1)).toMatchObject({ body: { status: 'frozen' } })
  await bank.unfreeze(account)
  await bank.close(account)
  expect(outcome(await bank.setOverdraft(account, 2))).toBe('409 account-closed')
})

test('amounts are read in the account’s currency', async () => {
  const yen = await bank.ledger.open({ currency: 'JPY' })
  expect(await bank.setOverdraft(yen, '500')).toMatchObject({ body: { overdraft_limit: '500' } })
  expect(outcome(await bank.setOverdraft(yen, '500.00'))).toBe('400 invalid-input')
  expect((await bank.get(`/accounts/${yen}/changes`)).body.items).toMatchObject([{ from: '0', to: '500' }])
})

test.each(['-1', '0.001', '1e3', '', ' 1', '10000000000000.01', 2 ** 63, null, true])(
  'the limit %j is refused',
  async (limit) => {
    const account = await bank.ledger.open()
    const answer = await bank.setOverdraft(account, limit)
    expect([outcome(answer), answer.body.errors[0].path]).toEqual(['400 invalid-input', '/overdraft_limit'])
    expect((await bank.get(`/accounts/${account}/changes`)).body.items).toEqual([])
  },
)

test.each([
  [{ overdraft_limit: '1.00' }, '/reason'],
  [{ overdraft_limit: '1.00', reason: '' }, '/reason'],
  [{ reason: 'Why not' }, '/overdraft_limit'],
  [{ overdraft_limit: '1.00', reason: 'Why not', balance: '1.00' }, '/balance'],
])('the body %j is refused', async (body, path) => {
  const answer = await bank.setOverdraft(await bank.ledger.open(), 0, { body })
  expect([outcome(answer), answer.body.errors[0].path]).toEqual(['400 invalid-input', path])
})

test('it is for operators, and for customers’ accounts', async () => {
  const account = await bank.ledger.open()
  expect(outcome(await bank.setOverdraft(account, 1, { who: 'nobody' }))).toBe('401 unauthenticated')
  for (const who of ['alice', 'bob'] as const)
    expect(outcome(await bank.setOverdraft(account, 1, { who }))).toBe('403 forbidden')
  for (const unknown of [randomUUID(), '00000000-0000-7000-8000-000000555344'])
    expect(outcome(await bank.setOverdraft(unknown, 1))).toBe('404 account-not-found')
  const body = { overdraft_limit: 1, reason: 'Why not' }
  expect(outcome(await bank.send(changeAccount, 'PATCH', '/', { body }))).toBe('404 not-found')
})

test('PATCH honours an Idempotency-Key: at once and later it takes effect once', async () => {
  const account = await bank.ledger.open()
  const key = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => bank.setOverdraft(account, '7.00', { key })),
  )
  for (const answer of answers) expect([200, '409 idempotency-key-in-use']).toContain(outcome(answer))
  await bank.setOverdraft(account, '8.00')
  const later = await bank.setOverdraft(account, '7.00', { key })
  expect(later).toMatchObject({ status: 200, body: { overdraft_limit: '7.00' } })
  expect(later.headers.get('idempotency-replayed')).toBe('true')
  expect((await bank.get(`/accounts/${account}`)).body.overdraft_limit).toBe('8.00')
  expect(outcome(await bank.setOverdraft(account, '7.01', { key }))).toBe('422 idempotency-key-reused')
  expect(await bank.events('overdraft.changed', account)).toHaveLength(2)
})

describe('the name of an account', () => {
  const rename = (
    account: string,
    name: unknown,
    options: { who?: 'alice' | 'bob' | 'nobody'; key?: string } = {},
  ) => bank.send(changeAccount, 'PATCH', `/accounts/${account}`, { who: 'alice', ...options, body: { name } })

  test('is what its owner says, until they take it away', async () => {
    const account = await bank.ledger.open()
    const answer = await rename(account, 'Rent & food')
    expect([answer.status, answer.body]).toEqual([200, (await bank.get(`/accounts/${account}`)).body])
    expect(answer.body.name).toBe('Rent & food')
    await bank.freeze(account)
    expect(await rename(account, null)).toMatchObject({ status: 200, body: { name: null } })
    expect((await bank.get(`/accounts/${account}/changes`)).body.items).toHaveLength(1)
  })

  test('is not for others, and not for closed accounts', async () => {
    const account = await bank.ledger.open()
    expect(outcome(await rename(account, 'Mine', { who: 'nobody' }))).toBe('401 unauthenticated')
    expect(outcome(await rename(account, 'Mine', { who: 'bob' }))).toBe('404 account-not-found')
    for (const unknown of [randomUUID(), '00000000-0000-7000-8000-000000555344'])
      expect(outcome(await rename(unknown, 'Mine'))).toBe('404 account-not-found')
    await bank.close(account)
    expect(outcome(await rename(account, 'Mine'))).toBe('409 account-closed')
    expect((await bank.get(`/accounts/${account}`)).body.name).toBeNull()
  })

  test('is changed once for its key', async () => {
    const [account, key] = [await bank.ledger.open(), randomUUID()]
    await rename(account, 'First', { key })
    await rename(account, 'Second')
    const again = await rename(account, 'First', { key })
    expect([again.body.name, again.headers.get('idempotency-replayed')]).toEqual(['First', 'true'])
    expect((await bank.get(`/accounts/${account}`)).body.name).toBe('Second')
  })

  test.each([
    [{ name: '' }, '/name'],
    [{ name: ' \u00a0' }, '/name'],
    [{ name: 'a'.repeat(61) }, '/name'],
    [{ name: 'x\u202Ey' }, '/name'],
    [{ name: 7 }, '/name'],
    [{}, '/overdraft_limit'],
    [{ name: 'Both', overdraft_limit: '1.00', reason: 'Why not' }, '/name'],
  ])('the body %j is refused', async (body, path) => {
    const answer = await bank.setOverdraft(await bank.ledger.open(), 0, { body })
    expect([outcome(answer), answer.body.errors[0].path]).toEqual(['400 invalid-input', path])
  })
})
