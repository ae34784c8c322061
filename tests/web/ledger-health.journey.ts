import { loginOperator } from '../support/bank.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

export function ledgerHealth(web: () => Web): void {
  test('an operator proves all books, stops a currency, sees it in every area, and resumes it', async () => {
    const { bank } = web()
    // Its own currency, so that the other journeys' money goes on moving.
    const { customer } = await customerWithMoney(bank)
    await customer.openAccount('checking', 'SEK')
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office/ledger')
    await page.getByRole('button', { name: 'Prove it all now' }).click()
    await page.getByText('All books were checked, and nothing is wrong.').waitFor()

    await page.getByRole('button', { name: 'Stop postings' }).click()
    await page.getByLabel('Of which currency').selectOption('SEK')
    await page.getByLabel('Reason').fill('A correction')
    const sent = page.waitForRequest(/\/ledger\/stop$/)
    await page.getByRole('button', { name: 'Stop postings now' }).click()
    const { 'session-user': as, 'idempotency-key': key } = (await sent).headers()
    expect([as, key]).toEqual([
      expect.stringMatching(/^[0-9a-f-]{36}$/),
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ])
    const banner = page.getByText('Postings are stopped by an operator: SEK.')
    await banner.waitFor()
    await page.getByRole('link', { name: 'Bank', exact: true }).click()
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    await banner.getByRole('link', { name: 'See the evidence' }).click()
    const stop = page.getByRole('article', { name: 'Stopped: SEK' })
    await stop.getByText('A correction').waitFor()
    await stop.getByLabel('Reason').fill('Corrected')
    await stop.getByRole('button', { name: 'Resume: SEK' }).click()
    await banner.waitFor({ state: 'detached' })
    await stop.getByText('Corrected').waitFor()
  })

  test('an operator finds in the audit what somebody did, and takes it along as CSV', async () => {
    const { bank } = web()
    const { customer, savings } = await customerWithMoney(bank)
    const token = await loginOperator(bank)
    await bank.call('GET', `/api/accounts/${savings}`, { token })
    const { page, context, go } = await web().visit({ as: 'operator' })
    await go('/office/audit')
    await page.getByLabel('Whose data').fill(customer.id)
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    const entries = page.getByRole('table', { name: 'Entries' })
    await entries.getByText('GET /accounts/{id}').waitFor()
    expect(new URL(page.url()).searchParams.get('owner')).toBe(customer.id)
    const href = await page.getByRole('link', { name: 'Download CSV' }).getAttribute('href')
    const file = await context.request.get(bank.url + href)
    expect(file.headers()['content-type']).toMatch(/^text\/csv/)
    const lines = (await file.text()).trim().split('\r\n')
    expect(lines.filter((line) => line.includes('"GET /accounts/{id}"'))).toHaveLength(1)
    expect(lines.at(-1)).toMatch(/^end,/)

    await page.getByLabel('Whose data').fill('no id')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('Some of what you entered is not accepted.').waitFor()
  })

  test('a fee is tried on last week before it can be published, and a change has to be tried anew', async () => {
    await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office/limits')
    const publish = page.getByRole('button', { name: 'Publish this fee' })
    await page.getByLabel('Fixed amount').fill('1.005')
    await page.getByRole('button', { name: 'Try it on last week' }).click()
    await page.getByText(/decimal/).waitFor()
    expect(await publish.count()).toBe(0)
    await page.getByLabel('Fixed amount').fill('1.50')
    await page.getByRole('button', { name: 'Try it on last week' }).click()
    await publish.waitFor()
    await page.getByText('What they would have cost').waitFor()
    await page.getByLabel('Fixed amount').fill('2')
    await publish.waitFor({ state: 'detached' })
  })
}
