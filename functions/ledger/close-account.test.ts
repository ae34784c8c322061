import { randomUUID } from 'node:crypto'
import { alice, deposit, ending, placing, withdrawal } from './testing/ledger-fixture.ts'
import { outcome, useChanges } from './testing/changes-fixture.ts'
import closeAccount from './close-account.ts'

const bank = useChanges()

test('owners close their own account, with or without a reason', async () => {
  const account = await bank.ledger.open()
  const answer = await bank.close(account, { who: 'alice', body: {} })
  expect([answer.status, answer.body]).toEqual([200, (await bank.get(`/accounts/${account}`)).body])
  expect(answer.body).toMatchObject({ id: account, status: 'closed', balance: '0.00' })
  expect(await bank.events('account.closed', account)).toEqual([
    {
      account_id: account,
      user_id: alice,
      reason: null,
      changed_by: alice,
      timestamp: expect.stringMatching(/Z$/),
    },
  ])

  const second = await bank.ledger.open()
  const body = { reason: 'I moved to another country' }
  expect(outcome(await bank.close(second, { who: 'alice', body }))).toBe(200)
  expect(await bank.events('account.closed', second)).toMatchObject([body])
})

test('operators close any customer’s account, and must say why', async () => {
  const account = await bank.ledger.open()
  const silent = await bank.close(account, { body: {} })
  expect([outcome(silent), silent.body.errors]).toEqual([
    '400 invalid-input',
    [{ path: '/reason', message: 'is required from operators' }],
  ])
  expect(outcome(await bank.close(account))).toBe(200)
})

test('a closed account takes and gives nothing, and is never closed again', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 100n })
  await bank.close(account, { who: 'alice' })
  const outcomes = await bank.ledger.post(deposit(account, 1), withdrawal(account, 1))
  expect(outcomes.map(({ outcome: name }) => name)).toEqual(['account-closed', 'account-closed'])
  for (const who of ['alice', 'operator'] as const)
    expect(outcome(await bank.close(account, { who }))).toBe('409 account-closed')
})

test('an account with money stays open, held or not', async () => {
  const account = await bank.ledger.open()
  await bank.ledger.post(deposit(account, 5))
  expect(outcome(await bank.close(account, { who: 'alice' }))).toBe('409 account-not-empty')
  await bank.ledger.post(placing(account, 5))
  expect(outcome(await bank.close(account, { who: 'alice' }))).toBe('409 account-not-empty')
  expect(await bank.get(`/accounts/${account}`)).toMatchObject({ body: { status: 'open' } })
})

test('an overdrawn account stays open until it is paid back', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 100n })
  await bank.ledger.post(withdrawal(account, 100))
  expect(outcome(await bank.close(account))).toBe('409 account-not-empty')
  await bank.ledger.post(deposit(account, 100))
  expect(outcome(await bank.close(account))).toBe(200)
})

test('an account with holds stays open, even if its balance is zero', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 100n })
  const hold = placing(account, 50)
  await bank.ledger.post(hold)
  expect(outcome(await bank.close(account))).toBe('409 account-has-holds')
  await bank.ledger.post(ending('release', hold))
  expect(outcome(await bank.close(account))).toBe(200)
})

test('a hold that is due keeps nobody from closing, and ends first', async () => {
  const account = await bank.ledger.open({ overdraftLimit: 100n })
  const [due, later] = [placing(account, 50), placing(account, 20)]
  await bank.ledger.post(due, later)
  await bank.makeDue(due)
  expect(outcome(await bank.close(account))).toBe('409 account-has-holds')
  expect(await bank.get(`/accounts/${account}`)).toMatchObject({ body: { available: '0.80' } })
  await bank.makeDue(later)
  expect(await bank.close(account)).toMatchObject({ status: 200, body: { available: '1.00' } })
  const holds = await bank.ledger.db.query({
    text: 'select status from holds where account_id = $1',
    values: [account],
  })
  expect(holds).toEqual([{ status: 'expired' }, { status: 'expired' }])
})

test('a frozen account must be unfrozen first', async () => {
  const account = await bank.ledger.open()
  await bank.freeze(account)
  for (const who of ['alice', 'operator'] as const)
    expect(outcome(await bank.close(account, { who }))).toBe('409 account-frozen')
  await bank.unfreeze(account)
  expect(outcome(await bank.close(account, { who: 'alice' }))).toBe(200)
})

test('nobody else closes it: no token, another customer, an account that is nobody’s', async () => {
  const account = await bank.ledger.open()
  expect(outcome(await bank.close(account, { who: 'nobody' }))).toBe('401 unauthenticated')
  const theirs = await bank.close(account, { who: 'bob' })
  const unknown = await bank.close(randomUUID(), { who: 'bob' })
  expect([outcome(theirs), theirs.body]).toEqual(['404 account-not-found', unknown.body])
  expect(outcome(await bank.close('00000000-0000-7000-8000-000000555344'))).toBe('404 account-not-found')
  expect(outcome(await bank.send(closeAccount, 'POST', '/'))).toBe('404 not-found')
  expect(await bank.get(`/accounts/${account}`)).toMatchObject({ body: { status: 'open' } })
})

test.each([[{ reason: '' }], [{ reason: null }], [{ reason: 'x'.repeat(501) }], [{ force: true }], [[1]]])(
  'the body %j is refused',
  async (body) => {
    const account = await bank.ledger.open()
    expect(outcome(await bank.close(account, { who: 'alice', body }))).toBe('400 invalid-input')
    expect(await bank.get(`/accounts/${account}`)).toMatchObject({ body: { status: 'open' } })
  },
)

test('the same key, at once and later, closes it once and gives the same answer', async () => {
  const account = await bank.ledger.open()
  const options = { who: 'alice', key: randomUUID() } as const
  const answers = await Promise.all(Array.from({ length: 20 }, () => bank.close(account, options)))
  for (const answer of answers) expect([200, '409 idempotency-key-in-use']).toContain(outcome(answer))
  const later = await bank.close(account, options)
  expect([later.status, later.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
  expect(later.body).toEqual(answers.find(({ status }) => status === 200)!.body)
  expect(outcome(await bank.close(account, { ...options, body: {} }))).toBe('422 idempotency-key-reused')
  expect(await bank.events('account.closed', account)).toHaveLength(1)
})

test('a refusal is kept with its key, so a repeat closes nothing', async () => {
  const account = await bank.ledger.open()
  const options = { who: 'alice', key: randomUUID() } as const
  await bank.ledger.post(deposit(account, 5))
  expect(outcome(await bank.close(account, options))).toBe('409 account-not-empty')
  await bank.ledger.post(withdrawal(account, 5))
  expect(outcome(await bank.close(account, options))).toBe('409 account-not-empty')
  expect(outcome(await bank.close(account, { who: 'alice' }))).toBe(200)
})
