import { until } from '../support/until.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

/** The life of a transaction and of its event, in the Engine room. */
export function lifeOfTransaction(web: () => Web): void {
  test('a withdrawal whose function started for it shows the cold start, the delivery and its event', async () => {
    const { bank } = web()
    const { customer, checking } = await customerWithMoney(bank)
    const isAtZero = async () =>
      (await bank.status()).services.find(({ name }) => name === 'withdraw')!.processes === 0
    await until(isAtZero, { what: 'the function to be at zero' })
    const { id } = await customer.bank.post('/api/transactions', {
      body: { type: 'withdrawal', account_id: checking, amount: '1.00' },
    })
    const { page, go } = await web().visit({ as: 'operator' })
    await go(`/transactions/${id}`)
    await page.getByRole('link', { name: 'How it went' }).click()
    await page.getByText(/^Done in [\d.,]+ m?s: [\d.,]+ m?s waking .*withdraw.*\. \d+ hops/).waitFor()
    const steps = page.getByRole('table', { name: 'Steps' })
    await steps.getByRole('row', { name: /Notification stored.*Done/ }).waitFor()
    const hops = page.getByRole('table', { name: 'Hops' })
    await hops.getByRole('row', { name: /Cold start: withdraw/ }).waitFor()
    await hops.getByRole('row', { name: /Delivery: deliver notify.*attempt 1, 204/ }).waitFor()
    await hops.getByRole('row', { name: /Work: process transaction\.completed notify/ }).waitFor()
    const entries = page.getByRole('table', { name: 'Entries' })
    expect(await entries.getByText('Follows').count()).toBe(2)
    await page.getByLabel('Price of a GB-second').fill('1')
    await page.getByLabel('Price of a million requests').fill('x')
    await page.getByText('A million transactions like this one: –').waitFor()
    await page.getByLabel('Failed only').check()
    await page.getByText('Nothing failed.').waitFor()

    await page.getByRole('link', { name: 'Its event' }).click()
    await page.getByText('with what it tells, in ledger').waitFor()
    await page.getByText('1 notification').waitFor()
    const deliveries = page.getByRole('table', { name: 'Deliveries' })
    await deliveries.getByRole('row', { name: /notify.*Delivered 204/ }).waitFor()
    await page.getByRole('link', { name: 'Life of its transaction' }).click()
    await page.waitForURL(`**/engine/transfers/${id}`)
  })
}
