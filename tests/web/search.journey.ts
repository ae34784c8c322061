import { signInDemoCustomer } from '../../knative/local/demo/demo-customer.ts'
import type { DemoCustomer } from '../../knative/local/secrets.ts'
import { createClient } from '../../functions/web/client/index.ts'
import { until } from '../support/until.ts'
import { customerWithMoney, inGroups, type Web } from './support/browser.ts'

/** The search in the frame, and the demo customer of a laptop. */
export function searching(web: () => Web): void {
  test('one click signs in as the demo customer, who finds a transaction by keyboard alone', async () => {
    const { page, context, go } = await web().visit()
    await go('/sign-in')
    await page.getByRole('button', { name: 'Sign in as the demo customer' }).click()
    await page.getByRole('link', { name: 'Everyday' }).waitFor()
    await page.getByRole('region', { name: 'Next orders' }).getByText('Savings plan').waitFor()
    const latest = page.getByRole('region', { name: 'Latest messages' }).getByRole('listitem')
    await until(async () => (await latest.count()) === 5, { what: 'the last five messages' })
    // A second click finds the same customer, with no more money.
    const session = () =>
      context.request.post(`${web().bank.url}/api/session/demo`, { headers: { origin: web().bank.url } })
    const both = await Promise.all([session(), session()])
    const [one, other] = (await Promise.all(both.map((answer) => answer.json()))) as { user_id: string }[]
    expect(one!.user_id).toBe(other!.user_id)
    const accounts = (await (await context.request.get(`${web().bank.url}/api/accounts`)).json()) as {
      items: { name: string; balance: string; user_id: string }[]
    }
    expect(accounts.items.map(({ name, balance, user_id: owner }) => [name, balance, owner])).toEqual([
      ['Rainy days', '335.00', one!.user_id],
      ['Everyday', '2007.75', one!.user_id],
    ])

    const asked: string[] = []
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (pathname === '/api/transactions') asked.push(searchParams.get('query') ?? '')
    })
    // The answer to this text never comes.
    await page.route('**/api/transactions?query=sal&*', () => undefined)
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Search' })
    await field.pressSequentially('s')
    await page.getByText('Type at least two letters or digits.').waitFor()
    // At once: on a slow machine the bank would be asked between two letters.
    await field.fill('sal')
    await until(() => asked.includes('sal'), { what: 'the bank to be asked' })
    const cutOff = page.waitForEvent('requestfailed')
    await field.fill('cash')
    await page.getByRole('option', { name: /^Cash for the weekend/ }).waitFor()
    expect((await cutOff).url()).toContain('query=sal&')
    expect(asked).toEqual(['sal', 'cash'])
    await page.keyboard.press('ArrowDown')
    const chosen = await page.locator('[role=option][data-highlighted]').textContent()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Receipt' }).waitFor()
    await page.getByText(/^Cash for /).waitFor()
    expect(chosen).toMatch(/^Cash for /)
    expect(await page.getByRole('dialog').count()).toBe(0)
    // Held for long, the keys come again and again.
    await page.keyboard.down('Control')
    await page.keyboard.down('k')
    await page.keyboard.down('k')
    await page.keyboard.up('Control')
    await field.fill('orders')
    // Whoever marks the text with the mouse may end beside the dialog.
    await field.hover()
    await page.mouse.down()
    await page.mouse.move(2, 2)
    await page.mouse.up()
    await page.getByRole('option', { name: 'Orders' }).waitFor()
    await page.keyboard.press('Escape')
    await field.waitFor({ state: 'detached' })
  })

  test('an operator finds people, accounts, events and functions; a kind that fails hides no other', async () => {
    const { customer, checking, transfer, event } = await customerWithMoney(web().bank)
    const { number } = await customer.bank.get('/api/accounts/{id}', { params: { id: checking } })
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office')
    await page.getByRole('button', { name: 'Search' }).click()
    const field = page.getByRole('combobox', { name: 'Search' })
    const group = (name: string) => page.getByRole('group', { name }).getByRole('option')
    await field.fill('freeze')
    await group('Functions').filter({ hasText: 'unfreeze-account' }).waitFor({ state: 'detached' })
    await group('Functions').filter({ hasText: 'freeze-account' }).waitFor()
    await field.fill(inGroups(number))
    await group('Accounts').waitFor()
    await group('People').waitFor()
    await page.route('**/api/users?*', (route) => route.fulfill({ status: 403, json: { status: 403 } }))
    await field.fill(transfer)
    await group('Transactions').waitFor()
    await page.getByText(/^People: /).waitFor()
    await page.unroute('**/api/users?*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await group('People').filter({ hasText: customer.email }).waitFor()
    await field.fill(event)
    await group('Events').click()
    await page.waitForURL(`**/engine/events/${event}`)
  })

  test('a demo customer who was left unfinished is finished; one with another password is replaced', async () => {
    const { url } = web().bank
    let kept: DemoCustomer | undefined
    let crashes = true
    const secrets = {
      get demoCustomer() {
        return kept
      },
      keepDemoCustomer(customer: DemoCustomer): void {
        if (customer.isComplete && crashes) throw new Error('the power is gone')
        kept = customer
      },
    }
    const signIn = () => signInDemoCustomer({ url, secrets }, 'Firefox')
    await expect(signIn()).rejects.toThrow('the power is gone')
    const first = kept!.email
    crashes = false
    const bank = createClient({ url, token: (await signIn()).access_token })
    expect([kept!.email, kept!.isComplete]).toEqual([first, true])
    expect((await bank.get('/api/accounts')).items).toHaveLength(2)
    expect((await bank.get('/api/transactions')).items).toHaveLength(6)
    expect((await bank.get('/api/orders')).items).toHaveLength(1)
    kept = { ...kept!, password: 'another password' }
    await signIn()
    expect(kept.email).not.toBe(first)
  })
}
