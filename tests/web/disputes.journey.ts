import { loginOperator } from '../support/bank.ts'
import { until } from '../support/until.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

/** The payment provider contradicts itself, and an operator ends the dispute. */
export function disputes(web: () => Web): void {
  test('an operator sees what needs them, reads it in their language, and dismisses a dispute with a reason', async () => {
    const { bank } = web()
    const { customer, checking } = await customerWithMoney(bank)
    // The last two digits have the sandbox say that it failed, after it has said that it was settled.
    const { id } = await customer.bank.post('/api/payments/top-ups', {
      body: { account_id: checking, amount: '50.06' },
    })
    const token = await loginOperator(bank)
    const seen = async () => (await bank.call('GET', `/api/payments/top-ups/${id}`, { token })).body
    await until(async () => (await seen()).dispute !== null, { what: 'the dispute' })

    const german = await web().visit({ as: 'operator', locale: 'de-DE' })
    await german.go('/office/disputes')
    await german.page.getByRole('heading', { name: 'Streitfälle' }).waitFor()
    const theirs = german.page.getByRole('article', { name: /Einzahlung von 50,06/ })
    await theirs.getByText('dann, es sei fehlgeschlagen').waitFor()
    await theirs.getByRole('button', { name: 'Abschließen' }).waitFor()

    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office')
    const need = page.getByRole('region', { name: 'Top-ups and withdrawals' })
    await need.getByText(/disagree on \d+/).waitFor()
    await need.getByRole('link', { name: 'Disputes' }).click()
    const dispute = page.getByRole('article', { name: 'Top-up of $50.06' })
    await dispute.getByText('then that it failed').waitFor()
    // It is booked, so there is nothing else to do.
    expect(await dispute.getByRole('button', { name: 'Book it' }).count()).toBe(0)
    await dispute.getByRole('button', { name: 'Dismiss' }).click()
    await dispute.getByText('Only the dispute ends.').waitFor()
    await dispute.getByLabel('Reason').fill('Seen on the statement')
    const sent = page.waitForRequest(/\/resolve$/)
    await dispute.getByRole('button', { name: 'Dismiss the dispute about $50.06' }).click()
    const { 'session-user': as, 'idempotency-key': key } = (await sent).headers()
    expect([as, key]).toEqual([
      expect.stringMatching(/^[0-9a-f-]{36}$/),
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ])
    await dispute.waitFor({ state: 'detached' })
    expect(await seen()).toMatchObject({ status: 'completed', dispute: null, resolvable_by: [] })
  })
}
