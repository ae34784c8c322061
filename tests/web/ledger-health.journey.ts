import { readFile } from 'node:fs/promises'
import { loginOperator } from '../support/bank.ts'
import { customerWithMoney, endSession, inGroups, signIn, type Web } from './support/browser.ts'

export function ledgerHealth(web: () => Web): void {
  test('an operator proves all books, stops a currency, sees it in every area, and resumes it', async () => {
    const { bank } = web()
    // Its own currency, so that the other journeys' money goes on moving.
    const { customer } = await customerWithMoney(bank)
    await customer.openAccount('checking', 'SEK')
    const { page, go } = await web().visit({ as: 'operator' })
    const office = await web().visit({ as: 'operator', locale: 'de-DE' })
    await office.page.clock.install()
    await office.go('/office')
    await office.page.getByText('In allen Währungen wird gebucht.').waitFor()
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
    // Another operator's first page tells it without a reload, and that the checks found all in order.
    await office.page.clock.fastForward('00:05')
    await office.page.getByText('In SEK wird nichts gebucht.').waitFor()
    await office.page.getByText('Stopps, die niemand aufgehoben hat: 1').waitFor()
    const rules = office.page.getByRole('list', { name: 'Invarianten' }).getByRole('listitem')
    expect(await rules.allInnerTexts()).toEqual(
      ['M: Summen', 'N: Limits', 'B: Salden und Ketten'].map((name) =>
        expect.stringMatching(new RegExp(`^●\\s*${name}[^]*[\\d.]+ geprüft,`)),
      ),
    )
    await page.getByRole('link', { name: 'Bank', exact: true }).click()
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    await banner.getByRole('link', { name: 'See the evidence' }).click()
    const stop = page.getByRole('article', { name: 'Stopped: SEK' })
    await page.getByRole('region', { name: 'Open stops' }).getByText('A correction').waitFor()
    await stop.getByLabel('Reason').fill('Corrected')
    const resume = stop.getByRole('button', { name: 'Resume postings: SEK' })
    // Whoever speaks to their browser says what they see.
    await resume.filter({ hasText: 'Resume postings' }).click()
    await banner.waitFor({ state: 'detached' })
    await page.getByRole('region', { name: 'Lifted stops' }).getByText('Corrected').waitFor()
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
    // The browser follows the link by itself, so an old cookie is renewed before it does.
    const { name } = (await context.cookies()).find((cookie) => cookie.name.includes('access'))!
    await context.clearCookies({ name })
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download CSV' }).click()
    expect((await download).suggestedFilename()).toMatch(/\.csv$/)
    const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n')
    expect(lines.filter((line) => line.includes('"GET /accounts/{id}"'))).toHaveLength(1)
    expect(lines.at(-1)).toMatch(/^end,/)

    await page.getByLabel('Whose data').fill('no id')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('Some of what you entered is not accepted.').waitFor()
  })

  test('a fee is tried on last week before it can be published; limits are set by account number', async () => {
    const { customer, checking: id, savings } = await customerWithMoney(web().bank)
    const { page, context, go } = await web().visit({ as: 'operator' })
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

    const { number } = await customer.bank.get('/api/accounts/{id}', { params: { id } })
    await page.getByLabel('Account number or id').fill(inGroups(number))
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByLabel('On a day').fill('1,234.5')
    await page.getByText('That is $1,234.50.').waitFor()
    await page.getByLabel('Reason').fill('Asked for')
    await page.getByRole('button', { name: 'Set these limits' }).click()
    await page.getByText('Saved.').waitFor()
    const limits = await customer.bank.get('/api/accounts/{id}/limits', { params: { id } })
    expect(limits).toMatchObject({ transaction_max: null, day_max: '1234.50', month_max: null })
    // If the session ends, what was entered for one account is in no form for another.
    await page.getByLabel('On a day').fill('7')
    await endSession(context)
    await page.getByRole('button', { name: 'Set these limits' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(context, web().bank, 'operator')
    await go(`/office/limits?account=${savings}`)
    expect(await page.getByLabel('On a day').inputValue()).toBe('')
  })
}
