import { randomUUID } from 'node:crypto'
import { alice, deposit, transfer, withdrawal } from './testing/ledger-fixture.ts'
import { outcome, useChanges } from './testing/changes-fixture.ts'
import freezeAccount from './freeze-account.ts'
import unfreezeAccount from './unfreeze-account.ts'

const bank = useChanges()

const names = async (...requests: Parameters<typeof bank.ledger.post>) =>
  (await bank.ledger.post(...requests)).map(({ outcome: name }) => name)

test('a frozen account takes nothing and gives nothing, until it is unfrozen', async () => {
  const [account, other] = [await bank.ledger.open(), await bank.ledger.open()]
  await bank.ledger.post(deposit(account, 500), deposit(other, 500))
  const moves = [
    deposit(account, 1),
    withdrawal(account, 1),
    transfer(account, other, 1),
    transfer(other, account, 1),
  ]
  const again = (): typeof moves => moves.map((move) => ({ ...move, id: randomUUID() }))

  const frozen = await bank.freeze(account)
  expect([frozen.status, frozen.body]).toEqual([200, (await bank.get(`/accounts/${account}`)).body])
  expect(frozen.body).toMatchObject({ id: account, status: 'frozen', balance: '5.00', user_id: alice })
  expect(await names(...again())).toEqual(moves.map(() => 'account-frozen'))
  expect(await bank.ledger.balances(account, other)).toEqual([500n, 500n])

  expect(await bank.unfreeze(account)).toMatchObject({ status: 200, body: { status: 'open' } })
  expect(await names(...again())).toEqual(moves.map(() => 'posted'))
})

test('each change is told once, by its event', async () => {
  const account = await bank.ledger.open()
  await bank.freeze(account, { body: { reason: 'Card reported stolen' } })
  await bank.unfreeze(account, { body: { reason: 'Card found again' } })
  const [changed] = (await bank.get(`/accounts/${account}/changes?limit=1`)).body.items
  expect(await bank.events('account.frozen', account)).toEqual([
    {
      account_id: account,
      user_id: alice,
      reason: 'Card reported stolen',
      changed_by: bank.operatorId,
      timestamp: expect.stringMatching(/Z$/),
    },
  ])
  expect(await bank.events('account.unfrozen', account)).toMatchObject([
    { reason: 'Card found again', timestamp: changed.timestamp },
  ])
})

test('only a state that allows it is changed, and each refusal has a name', async () => {
  const account = await bank.ledger.open()
  expect(outcome(await bank.unfreeze(account))).toBe('409 account-not-frozen')
  await bank.freeze(account)
  expect(outcome(await bank.freeze(account))).toBe('409 account-frozen')
  await bank.unfreeze(account)
  await bank.close(account)
  expect(outcome(await bank.freeze(account))).toBe('409 account-closed')
  expect(outcome(await bank.unfreeze(account))).toBe('409 account-closed')
  expect((await bank.get(`/accounts/${account}/changes`)).body.items).toHaveLength(3)
})

describe.each([
  ['freeze', freezeAccount],
  ['unfreeze', unfreezeAccount],
] as const)('%s', (action, operation) => {
  test('is for operators', async () => {
    const account = await bank.ledger.open()
    expect(outcome(await bank[action](account, { who: 'nobody' }))).toBe('401 unauthenticated')
    expect(outcome(await bank[action](account, { who: 'alice' }))).toBe('403 forbidden')
    expect(outcome(await bank[action](account, { who: 'bob' }))).toBe('403 forbidden')
    expect((await bank.get(`/accounts/${account}/changes`)).body.items).toEqual([])
  })

  test('finds customers’ accounts only', async () => {
    for (const unknown of [randomUUID(), '00000000-0000-7000-8000-000000555344'])
      expect(outcome(await bank[action](unknown))).toBe('404 account-not-found')
    expect(outcome(await bank[action]('cash'))).toBe('404 not-found')
    // Its path has the account's id, so there is nothing at `/`.
    expect(outcome(await bank.send(operation, 'POST', '/'))).toBe('404 not-found')
  })

  test.each([
    [{}, '/reason'],
    [{ reason: '' }, '/reason'],
    [{ reason: ' ' }, '/reason'],
    [{ reason: 'x'.repeat(501) }, '/reason'],
    [{ reason: 'a\0b' }, '/reason'],
    [{ reason: 'a\ud800' }, '/reason'],
    [{ reason: 7 }, '/reason'],
    [{ reason: 'ok', status: 'closed' }, '/status'],
    [[], ''],
  ])('refuses the body %j', async (body, path) => {
    const account = await bank.ledger.open()
    const answer = await bank[action](account, { body })
    expect([outcome(answer), answer.body.errors[0].path]).toEqual(['400 invalid-input', path])
    expect(await bank.get(`/accounts/${account}`)).toMatchObject({ body: { status: 'open' } })
  })
})

test('the same key gives the same answer, also for a refusal; another body with it is refused', async () => {
  const account = await bank.ledger.open()
  const key = randomUUID()
  const first = await bank.freeze(account, { key })
  await bank.unfreeze(account)
  const second = await bank.freeze(account, { key })
  expect([second.status, second.body]).toEqual([200, first.body])
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  expect((await bank.get(`/accounts/${account}`)).body.status).toBe('open')
  expect(outcome(await bank.freeze(account, { key, body: { reason: 'Another' } }))).toBe(
    '422 idempotency-key-reused',
  )
  expect(outcome(await bank.freeze(await bank.ledger.open(), { key }))).toBe('422 idempotency-key-reused')

  const refused = { key: randomUUID() }
  expect(outcome(await bank.unfreeze(account, refused))).toBe('409 account-not-frozen')
  await bank.freeze(account)
  expect(outcome(await bank.unfreeze(account, refused))).toBe('409 account-not-frozen')
})

test('with the same key at once the account is frozen once', async () => {
  const account = await bank.ledger.open()
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 20 }, () => bank.freeze(account, { key })))
  expect(answers.map(outcome)).toContain(200)
  for (const answer of answers) expect([200, '409 idempotency-key-in-use']).toContain(outcome(answer))
  expect(await bank.events('account.frozen', account)).toHaveLength(1)
})

test('without a key, one of many who freeze it at once succeeds', async () => {
  const account = await bank.ledger.open()
  const answers = await Promise.all(Array.from({ length: 20 }, () => bank.freeze(account)))
  expect(answers.map(outcome).sort()).toEqual([200, ...Array<string>(19).fill('409 account-frozen')])
  expect((await bank.get(`/accounts/${account}/changes`)).body.items).toHaveLength(1)
})
