import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loginOperator, type Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { ROOT } from '../support/repository.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** One customer’s month in the whole bank: everything that the ledger can do, each row once. */

let bank: Bank
let operator: string
let ada: Customer
let checking: string
let savings: string

export function wholeLedger(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    operator = await loginOperator(bank)
    ada = await registerCustomer(bank)
    checking = await ada.openAccount('checking')
    savings = await ada.openAccount('savings')
  })

  const ask = (method: string, path: string, body?: unknown, token = operator): Promise<Answer> =>
    bank.call(method, `/api${path}`, {
      token,
      ...(body !== undefined && { body, headers: { 'idempotency-key': randomUUID() } }),
    })

  const must = async (answering: Promise<Answer>): Promise<Answer['body']> => {
    const { status, body } = await answering
    expect([status, status < 300 ? undefined : body]).toEqual([status, undefined])
    return body
  }

  const refused = async (answering: Promise<Answer>): Promise<string> => {
    const { status, body } = await answering
    expect(status).toBeGreaterThanOrEqual(400)
    return String(body.type).split('/').at(-1)!
  }

  const money = (type: string, amount: string, more: object = {}) => ({
    type,
    account_id: checking,
    ...(type === 'transfer' && { to_account_id: savings }),
    amount,
    ...more,
  })

  /** Returns what the verifier of the docs prints about a proof. */
  function verify(proof: unknown, key: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'microbank-proof-'))
    const file = join(folder, 'proof.json')
    writeFileSync(file, JSON.stringify(proof))
    try {
      return execFileSync(process.execPath, [join(ROOT, 'docs/verify-statement.mjs'), key, file]).toString()
    } catch (error) {
      return String((error as { stdout: Buffer }).stdout)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  const fee = (rules: object | null) =>
    must(
      ask('PUT', '/fees', { currency: 'USD', type: 'withdrawal', rules, reason: 'price list of the year' }),
    )
  // All customers would pay it from then on.
  afterAll(() => fee(null))

  const balances = async () => {
    const all = await ada.balances()
    return [all[checking], all[savings]]
  }

  test('the whole ledger, as a customer and an operator use it', async () => {
    // Fees and limits.
    await fee({ fixed: '0.50' })
    await must(
      ask('POST', '/transactions', money('deposit', '1000.00', { description: 'salary' }), ada.token),
    )
    // Where it is early in the day, so that the test does not run over midnight.
    const time_zone = new Date().getUTCHours() < 12 ? 'UTC' : 'America/Los_Angeles'
    const policy = { time_zone, reason: 'limits of the year' }
    const limits = { day_max: '300.00', ...policy }
    await must(ask('PUT', `/accounts/${checking}/limits`, limits))
    expect(
      await must(ask('POST', '/transactions/dry-run', money('withdrawal', '100.00'), ada.token)),
    ).toMatchObject({ allowed: true, fee: '0.50', balance_after: '899.50' })
    expect(await balances()).toEqual(['1000.00', '0.00'])
    const withdrawal = await must(ask('POST', '/transactions', money('withdrawal', '100.00'), ada.token))
    expect(withdrawal).toMatchObject({ fee: '0.50', balance_after: '899.50' })
    expect(await refused(ask('POST', '/transactions', money('transfer', '200.01'), ada.token))).toBe(
      'day-limit-exceeded',
    )
    await must(ask('PUT', `/accounts/${checking}/limits`, policy))

    // A hold, captured in part, and one that is released.
    const hold = await must(
      ask('POST', '/holds', { account_id: checking, amount: '80.00', description: 'Hotel Adler' }, ada.token),
    )
    expect((await must(ask('GET', `/accounts/${checking}/balance`, undefined, ada.token))).available).toBe(
      '819.50',
    )
    const capture = await must(
      ask('POST', `/holds/${hold.id}/capture`, { to_account_id: savings, amount: '60.00' }, ada.token),
    )
    expect(await refused(ask('POST', `/holds/${hold.id}/release`, {}, ada.token))).toBe('hold-captured')
    const second = await must(ask('POST', '/holds', { account_id: checking, amount: '5.00' }, ada.token))
    await must(ask('POST', `/holds/${second.id}/release`, {}, ada.token))
    expect(await balances()).toEqual(['839.50', '60.00'])

    // A reversal, of which the customer is told.
    const transfer = money('transfer', '40.00', { description: 'rent for the boat', metadata: { flat: 12 } })
    const rent = await must(ask('POST', '/transactions', transfer, ada.token))
    const reversal = await must(ask('POST', `/transactions/${rent.id}/reverse`, { reason: 'entered twice' }))
    expect(await refused(ask('POST', `/transactions/${rent.id}/reverse`, { reason: 'again' }))).toBe(
      'already-reversed',
    )
    const notified = async () => {
      const { items } = await must(ask('GET', '/notifications', undefined, ada.token))
      return (items as { message: string }[]).map(({ message }) => message)
    }
    await until(
      async () => (await notified()).includes('Transaction of $40.00 reversed. New balance: $839.50'),
      { what: 'the notification of the reversal' },
    )

    // A freeze.
    await must(ask('POST', `/accounts/${savings}/freeze`, { reason: 'card reported stolen' }))
    expect(await refused(ask('POST', '/transactions', money('transfer', '1.00'), ada.token))).toBe(
      'account-frozen',
    )
    expect(await refused(ask('POST', `/accounts/${savings}/close`, { reason: 'x' }))).toBe('account-frozen')
    await must(ask('POST', `/accounts/${savings}/unfreeze`, { reason: 'card found' }))

    // In a currency of its own: an overdraft, a deposit that counts from the day before, a stop, and the end.
    const koruna = { account_id: await ada.openAccount('checking', 'CZK'), currency: 'CZK', amount: '50.00' }
    const change = { overdraft_limit: '50.00', reason: 'as agreed' }
    await must(ask('PATCH', `/accounts/${koruna.account_id}`, change))
    const [day] = await bank.sql<{ today: string; yesterday: string }>(
      'ledger',
      `select (now() at time zone 'UTC')::date::text as today, ((now() at time zone 'UTC')::date - 1)::text as yesterday`,
    )
    await must(ask('POST', '/transactions', { type: 'withdrawal', ...koruna }, ada.token))
    await must(ask('POST', '/transactions', { type: 'deposit', ...koruna, value_date: day!.yesterday }))
    const statementBy = (basis: string) =>
      must(ask('GET', `/accounts/${koruna.account_id}/statement?to=${day!.today}&basis=${basis}`))
    expect([
      (await statementBy('booking')).closing_balance,
      (await statementBy('value')).closing_balance,
    ]).toEqual(['0.00', '50.00'])
    const stop = await must(ask('POST', '/ledger/stop', { currency: 'CZK', reason: 'to be looked into' }))
    expect(await refused(ask('POST', '/transactions', { type: 'withdrawal', ...koruna }, ada.token))).toBe(
      'ledger-stopped',
    )
    await must(ask('POST', '/ledger/resume', { stop_id: stop.id, reason: 'all is right' }))
    await must(ask('POST', `/accounts/${koruna.account_id}/close`, {}, ada.token))
    expect(await refused(ask('POST', '/transactions', { type: 'deposit', ...koruna }, ada.token))).toBe(
      'account-closed',
    )

    // Search.
    const found = async (query: string): Promise<string[]> =>
      (
        (await must(ask('GET', `/transactions?${query}`, undefined, ada.token))).items as { id: string }[]
      ).map(({ id }) => id)
    expect(await found('query=boat')).toEqual([rent.id])
    expect(await found('metadata=flat:12')).toEqual([rent.id])
    expect(await found('amount_min=60&amount_max=60&currency=USD')).toEqual([capture.id])

    // Statements in every format.
    const statement = (format: string) =>
      bank.call('GET', `/api/accounts/${checking}/statement?format=${format}`, { token: ada.token })
    const json = await must(statement('json'))
    expect(json).toMatchObject({ opening_balance: '0.00', closing_balance: '839.50' })
    expect((await statement('csv')).body).toContain('salary')
    expect((await statement('camt.053')).body).toContain('urn:iso:std:iso:20022:tech:xsd:camt.053.001.08')
    expect((await statement('pdf')).body).toContain('%PDF-')

    // What was posted is sealed and can be proved, by a program that knows nothing but the bank’s key.
    const proof = await until(
      async () => {
        // Only what was checked is sealed.
        await bank.ping('sweep-ledger')
        await bank.ping('seal-ledger')
        const answer = await ask('GET', `/transactions/${capture.id}/proof`, undefined, ada.token)
        return answer.status === 200 && answer.body
      },
      { what: 'the proof' },
    )
    const keys: string = (await bank.call('GET', '/.well-known/microbank-seal-keys')).body
    const key = keys.trim().split('\n')[0]!
    expect(verify(proof, key)).toMatch(/ holds: /)
    const whole = (await statement('proof')).body
    expect(verify(whole, key)).toMatch(/ holds: from 0 at version 0 to 83950 at version 6/)
    const [entry] = proof.entries
    expect(verify({ ...proof, entries: [{ ...entry, amount_minor: '-1' }] }, key)).toMatch(/ DOES NOT HOLD: /)
    const ofHold = await must(ask('GET', `/holds/${hold.id}/proof`, undefined, ada.token))
    expect(verify(ofHold, key)).toMatch(/ holds: what is held, from 0 at version 0 to \d+ at version \d,/)
    const [placed, ...others] = ofHold.entries
    const less = { ...ofHold, entries: [{ ...placed, status: 'released' }, ...others] }
    expect(verify(less, key)).toMatch(/ DOES NOT HOLD: /)

    // The books are right, and say who did what.
    expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
    await bank.ping('verify-ledger')
    expect((await must(ask('GET', '/ledger/verify'))).ok).toBe(true)
    const { items } = await must(ask('GET', `/audit?owner=${ada.id}&limit=200`))
    const done = new Set((items as { operation: string }[]).map(({ operation }) => operation))
    for (const operation of [
      ...['deposit', 'withdraw', 'transfer', 'reverse-transaction', 'capture-hold'],
      ...['place-hold', 'release-hold', 'freeze-account', 'unfreeze-account', 'close-account'],
      ...['change-account', 'open-account', 'limits'],
    ])
      expect(done).toContain(operation)
    expect(reversal.reverses).toBe(rent.id)
  })
}
