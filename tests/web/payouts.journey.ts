import { registerCustomer } from '../support/customers.ts'
import { customerWithMoney, giveUp, type Web } from './support/browser.ts'
import { hasFocus } from './support/keyboard.ts'

export function payouts(web: () => Web): void {
  test('a payout is checked row by row, then each item is paid or refused by itself', async () => {
    const { customer } = await customerWithMoney(web().bank)
    const payee = await registerCustomer(web().bank)
    const account = await payee.openAccount('checking')
    const { page, go } = await web().visit({ as: customer })
    await go('/payouts')
    const rows = page.getByLabel('Rows: payee, amount, note')
    await rows.fill(`payee,amount,note\n${account},12.50,Wages\nsomebody,1.00\n`)
    await page.getByRole('button', { name: 'Check the rows' }).click()
    await page.getByText('The payee is neither an e-mail address nor the id of an account.').waitFor()
    await page.getByText('Nothing is sent').waitFor()
    await rows.fill(`${account},12.50,Wages\nnobody@example.com,1.00\n`)
    await page.getByRole('button', { name: 'Check the rows' }).click()
    const sent: Record<string, string>[] = []
    await page.route('**/api/payments/payout', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback()
      sent.push(route.request().headers())
      if (sent.length > 1) return route.fallback()
      const type = 'https://microbank.dev/problems/account-frozen'
      return route.fulfill({ status: 409, contentType: 'application/problem+json', json: { type } })
    })
    await page.getByRole('button', { name: 'Pay $13.50 to 2' }).click()
    await page.getByText('Not sent. The account is frozen.').waitFor()
    // The bank keeps a refusal under its key: as soon as the account pays again, it is another payout.
    await page.getByRole('button', { name: 'Pay $13.50 to 2' }).click()
    await page.getByRole('table', { name: 'Items' }).waitFor()
    expect(sent.map((headers) => headers['session-user'])).toEqual([customer.id, customer.id])
    expect(sent[0]!['idempotency-key']).not.toBe(sent[1]!['idempotency-key'])
    const items = page.getByRole('table', { name: 'Items' })
    await items.getByText('Paid').waitFor()
    await items.getByText('No open account of theirs takes it').waitFor()
    const link = page.getByRole('link', { name: '1 paid, 1 refused, 0 waiting' })
    await link.waitFor()
    // Whoever opens the items from the list has the focus there, also while nothing answers.
    await go('/payouts')
    await page.route(/\/payout\/[^/]+\/status/, () => undefined)
    await link.focus()
    await page.keyboard.press('Enter')
    await page.locator('[aria-busy=true]').waitFor()
    expect(await hasFocus(link)).toBe(true)

    const office = await web().visit({ as: 'operator' })
    const asked = office.page.waitForRequest(/\/payout\?/)
    await office.go('/payouts')
    expect(new URL((await asked).url()).searchParams.get('user_id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('a payout whose answer is lost is asked for again with its key, also after a reload: paid once', async () => {
    const { customer, checking, savings } = await customerWithMoney(web().bank)
    const payee = await registerCustomer(web().bank)
    const account = await payee.openAccount('checking')
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    const keys: (string | undefined)[] = []
    let isLost = true
    await page.route('**/api/payments/payout', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback()
      keys.push(route.request().headers()['idempotency-key'])
      const answer = await route.fetch()
      return isLost ? route.abort() : route.fulfill({ response: answer })
    })
    await go('/payouts')
    await page.getByLabel('Pay from').selectOption(checking)
    await page.getByLabel('CSV file').setInputFiles({
      name: 'wages.csv',
      mimeType: 'text/csv',
      // As Windows writes it.
      buffer: Buffer.from(`Payee;Amount;Note\r\n${account};12.50;M\xe4rz\r\n`, 'latin1'),
    })
    await page.getByRole('button', { name: 'Check the rows' }).click()
    await page.getByRole('cell', { name: 'März' }).waitFor()
    await page.getByRole('button', { name: 'Pay $12.50 to 1' }).click()
    await giveUp(page, keys)
    await page.getByText('No answer yet.').waitFor()
    expect(await page.getByLabel('CSV file').count()).toBe(0)
    await go('/payouts')
    await page.getByText('No answer yet.').waitFor()
    isLost = false
    await page.getByRole('button', { name: 'Pay $12.50 to 1' }).click()
    await page.getByRole('table', { name: 'Items' }).getByText('Paid').waitFor()
    await page.getByLabel('CSV file').waitFor()
    expect([keys.length > 1, new Set(keys).size]).toEqual([true, 1])
    expect(await customer.balances()).toMatchObject({ [checking]: '687.50', [savings]: '200.00' })
  })
}
