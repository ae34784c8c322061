import { registerCustomer } from '../support/customers.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

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
    await page.getByText('The payee is no e-mail address and no account id.').waitFor()
    await page.getByText('Nothing is sent').waitFor()
    await rows.fill(`${account},12.50,Wages\nnobody@example.com,1.00\n`)
    await page.getByRole('button', { name: 'Check the rows' }).click()
    const sent = page.waitForRequest(
      (request) => request.method() === 'POST' && /\/payout$/.test(request.url()),
    )
    await page.getByRole('button', { name: 'Pay $13.50 to 2' }).click()
    expect((await sent).headers()['session-user']).toBe(customer.id)
    const items = page.getByRole('table', { name: 'Items' })
    await items.getByText('Paid').waitFor()
    await items.getByText('No open account of theirs takes it').waitFor()
    await page.getByRole('link', { name: '1 paid, 1 refused, 0 waiting' }).waitFor()

    const office = await web().visit({ as: 'operator' })
    const asked = office.page.waitForRequest(/\/payout\?/)
    await office.go('/payouts')
    expect(new URL((await asked).url()).searchParams.get('user_id')).toMatch(/^[0-9a-f-]{36}$/)
  })
}
