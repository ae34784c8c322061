import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import users from '../functions/identity/users.ts'
import accounts from '../functions/ledger/accounts.ts'
import transactions from '../functions/ledger/transactions.ts'
import deadLetters from '../functions/notifications/dead-letters.ts'
import notifications from '../functions/notifications/notifications.ts'
import { openDatabase } from '../functions/host/database/database.ts'
import type { Operation } from '../functions/host/operation.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase, type TestDatabase } from './support/databases.ts'
import { startFunction, token, type TestFunction } from './support/host.ts'

/** Whatever a client sends as a cursor or a moment, a list answers it or says what is wrong with it. */

const functions = new Map<Operation, TestFunction>()
const databases = new Map<string, TestDatabase>()
const userId = randomUUID()
const tokens: Record<string, string> = {}
const log = createLog({}, 'error', () => {})
let account: string

beforeAll(async () => {
  for (const operation of [users, accounts, transactions, deadLetters, notifications]) {
    const { context } = operation
    if (!databases.has(context)) databases.set(context, await testDatabase(context))
    const env = { [`${context.toUpperCase()}_DATABASE_URL`]: databases.get(context)!.url }
    functions.set(operation, await startFunction(operation, env))
  }
  const db = openDatabase({ url: databases.get('ledger')!.url, poolMax: 1, name: 'test', log })
  const [row] = await db.query<{ id: string }>({
    text: `select (open_account($1, 'checking', 'USD', 0, 1000000, 1000000, 100)).account.id`,
    values: [userId],
  })
  account = row!.id
  await db.close()
  tokens.customer = await token({ userId })
  tokens.operator = await token({ userId: randomUUID(), role: 'operator' })
})

afterAll(async () => {
  for (const running of functions.values()) await running.stop()
  for (const database of databases.values()) await database.drop()
})

const get = (operation: Operation, path: string, role: string) =>
  functions.get(operation)!.request('GET', path, { token: tokens[role]! })

const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const padded = (length: number) => (n: number) => String(n).padStart(length, '0')

// Any bits, so of any version, also NIL and the highest.
const anyId = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((n) => n.toString(16).padStart(32, '0'))
  .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
const edgeId = fc.constantFrom(
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  randomUUID(),
)
const id = fc.oneof(anyId, edgeId)

const day = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 1, 2026, 9999, 294_276)).map(padded(4)),
    fc.integer({ min: 0, max: 13 }).map(padded(2)),
    fc.integer({ min: 0, max: 32 }).map(padded(2)),
  )
  .map((parts) => parts.join('-'))
const time = fc
  .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }))
  .map((parts) => parts.map(padded(2)).join(':'))
const moment = fc.tuple(day, time).map((parts) => `${parts.join('T')}.000Z`)
const offset = fc.constantFrom('Z', '+23:59', '-23:59', '+14:00')
const place = fc
  .tuple(moment, id, fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 19n }), fc.constant(10n ** 18n - 1n)), id)
  .map((parts) => parts.join(' '))

const cursor = fc.oneof(
  id.map(base64),
  place.map(base64),
  id.map((one) => base64(`before ${one}`)),
  fc.string({ minLength: 1, maxLength: 60 }).map(base64),
  fc.string({ minLength: 1, maxLength: 60 }),
)

test.each([
  ['users', users, '/users', ['operator']],
  ['accounts', accounts, '/accounts', ['operator', 'customer']],
  ['changes of an account', accounts, '/accounts/{account}/changes', ['operator', 'customer']],
  ['transactions', transactions, '/transactions', ['operator', 'customer']],
  ['dead letters', deadLetters, '/dead-letters', ['operator']],
  ['redrives', deadLetters, '/dead-letter-redrives', ['operator']],
  ['notifications', notifications, '/notifications', ['operator', 'customer']],
] as const)('the list of %s answers any cursor with 200 or 400', async (_name, operation, path, roles) => {
  await fc.assert(
    fc.asyncProperty(cursor, fc.constantFrom(...roles), async (text, role) => {
      const here = path.replace('{account}', account)
      const { status } = await get(operation, `${here}?cursor=${encodeURIComponent(text)}`, role)
      expect([200, 400]).toContain(status)
    }),
    { numRuns: 150 },
  )
})

test('a list takes a cursor with an id of any version', async () => {
  await fc.assert(
    fc.asyncProperty(id, async (one) => {
      expect((await get(accounts, `/accounts?cursor=${base64(one)}`, 'operator')).status).toBe(200)
    }),
    { numRuns: 50 },
  )
})

test.each(['2026-02-31T00:00:00.000Z', '2026-02-30T10:00:00.000Z', '0000-01-01T00:00:00.000Z'])(
  'a cursor that says %s is refused',
  async (text) => {
    const path = `/transactions?cursor=${base64(`${text} ${userId} 0 ${userId}`)}`
    expect(await get(transactions, path, 'customer')).toMatchObject({ status: 400 })
  },
)

test.each(['/dead-letters?trigger', '/dead-letters?error', '/dead-letters/groups?type'])(
  'text that Postgres can’t keep is refused in %s',
  async (path) => {
    expect(await get(deadLetters, `${path}=%00`, 'operator')).toMatchObject({
      status: 400,
      body: { type: 'https://microbank.dev/problems/invalid-input' },
    })
  },
)

describe('a moment', () => {
  const anyMoment = fc.tuple(day, time, offset).map(([date, clock, zone]) => `${date}T${clock}${zone}`)

  test('of any form is taken or refused', async () => {
    await fc.assert(
      fc.asyncProperty(anyMoment, fc.constantFrom('from', 'to', 'as_of'), async (text, name) => {
        const query = `${name}=${encodeURIComponent(text)}`
        const { status } =
          name === 'as_of'
            ? await get(accounts, `/accounts/${account}/balance?${query}`, 'customer')
            : await get(transactions, `/transactions?${query}`, 'customer')
        expect([200, 400]).toContain(status)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    '2026-02-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '294276-01-01T00:00:00Z',
    '9999-12-31T23:59:59-23:00',
    '0000-01-01T00:00:00+23:00',
    '2016-12-31T23:59:60Z',
  ])('of %s is refused', async (text) => {
    for (const path of ['/transactions?from=', '/transactions?to='])
      expect(await get(transactions, path + encodeURIComponent(text), 'customer')).toMatchObject({
        status: 400,
        body: { type: 'https://microbank.dev/problems/invalid-input' },
      })
    const path = `/accounts/${account}/balance?as_of=${encodeURIComponent(text)}`
    expect(await get(accounts, path, 'customer')).toMatchObject({ status: 400 })
  })
})
