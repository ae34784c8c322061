import { registerCustomer } from '../support/customers.ts'
import { until } from '../support/until.ts'
import { PDF, image } from '../../functions/documents/testing/documents-fixture.ts'
import { customerWithMoney, endSession, signInAgain, type Web } from './support/browser.ts'

/** Messages that come by themselves, payment orders and documents. */
export function inbox(web: () => Web): void {
  test('a message comes by itself into every tab, is counted by the bell, and can be marked as read', async () => {
    const { customer, checking } = await customerWithMoney(web().bank)
    const { page, context, go } = await web().visit({ as: customer })
    let streams = 0
    context.on('request', (request) => {
      if (request.url().includes('/notifications/stream')) streams++
    })
    await go('/notifications')
    await page.getByText('Transfer of $200.00').waitFor()
    const other = await context.newPage()
    await other.goto(`${web().bank.url}/notifications`)
    await other.getByText('Transfer of $200.00').waitFor()
    await customer.bank.post('/api/transactions', {
      body: { type: 'deposit', account_id: checking, amount: '7.77' },
    })
    for (const each of [page, other]) await each.getByText('Deposit of $7.77').waitFor()
    const bell = page.locator('#bell')
    await until(async () => (await bell.getAttribute('aria-label')) === 'Messages: 3 new', {
      what: 'the count of the bell',
    })
    // One stream for the browser, however many tabs.
    expect(streams).toBe(1)
    await page.getByRole('button', { name: 'Mark all as read' }).click()
    await until(async () => (await bell.getAttribute('aria-label')) === 'Messages', {
      what: 'nothing to be new',
    })
    expect(await page.getByText('New', { exact: true }).count()).toBe(0)
  })

  test('what comes while nobody uses the page is there when they are back', async () => {
    const { customer, checking } = await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/notifications')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.clock.fastForward('05:01')
    await page.getByText('Paused, because nobody has used this page').waitFor()
    await customer.bank.post('/api/transactions', {
      body: { type: 'deposit', account_id: checking, amount: '3.33' },
    })
    await until(
      async () =>
        (await customer.bank.get('/api/notifications')).items.some(({ message }) => message.includes('3.33')),
      { what: 'the notification to be stored' },
    )
    expect(await page.getByText('$3.33').count()).toBe(0)
    // A tab that is left open asks for nothing, so all functions can go to zero.
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    for (let minute = 0; minute < 60; minute += 5) await page.clock.fastForward('05:00')
    expect(asked).toEqual([])
    await page.mouse.move(100, 100)
    await page.getByText('Deposit of $3.33').waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
  })

  test('a customer chooses what is sent to them, and the choice stays', async () => {
    const as = await registerCustomer(web().bank)
    const { page, go } = await web().visit({ as })
    await go('/notifications/preferences')
    const choice = page.getByLabel('Money has moved: E-mail')
    await choice.check()
    await page.getByLabel('Language of the messages').selectOption('de')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    await go('/notifications/preferences')
    expect([
      await choice.isChecked(),
      await page.getByLabel('Language of the messages').inputValue(),
    ]).toEqual([true, 'de'])
  })

  test('an order is paid from the account that its form began with, whatever moves meanwhile', async () => {
    const { customer, checking, savings } = await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: customer })
    const stream = page.waitForResponse(/\/notifications\/stream/)
    await go('/orders/new')
    await stream
    await customer.bank.post('/api/transactions', {
      body: { type: 'transfer', account_id: checking, to_account_id: savings, amount: '700.00' },
    })
    await page.getByText('$0.00 available').waitFor()
    expect(await page.getByLabel('From', { exact: true }).inputValue()).toBe(checking)
  })

  test('an order shows its next dates before it is saved, and is paused, resumed and cancelled', async () => {
    const { customer, checking } = await customerWithMoney(web().bank)
    const payee = await registerCustomer(web().bank)
    const id = await payee.openAccount('checking')
    const { number } = await payee.bank.get('/api/accounts/{id}', { params: { id } })
    const { page, context, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/orders/new')
    await page.getByLabel('From', { exact: true }).selectOption(checking)
    await page.getByLabel('To', { exact: true }).fill('no such number')
    await page.getByLabel('Amount').fill('9,999.999')
    await page.getByLabel('Reference').fill('Rent')
    await page.getByLabel('On day').fill('31')
    await page.getByRole('button', { name: 'Show the dates' }).click()
    await page.getByText('The currency has fewer decimals.').waitFor()
    await page.getByLabel('Amount').fill('9.50')
    await page.getByRole('button', { name: 'Show the dates' }).click()
    await page.getByText('Nobody here has this number or e-mail.').waitFor()
    expect(await page.locator(':focus').getAttribute('name')).toBe('payee')
    // Whoever goes on to another field stays there, although the fault is still shown.
    await page.getByLabel('From', { exact: true }).focus()
    for (const key of ['End', 'Home']) await page.keyboard.press(key)
    expect(await page.locator(':focus').getAttribute('name')).toBe('account_id')
    await page.getByLabel('From', { exact: true }).selectOption(checking)
    const euros = await customer.bank.post('/api/accounts', {
      body: { account_type: 'checking', currency: 'EUR' },
    })
    await page.getByLabel('To', { exact: true }).fill(euros.number)
    await page.getByRole('button', { name: 'Show the dates' }).click()
    await page.getByText('This account is in EUR. Pay from one of yours in EUR.').waitFor()
    // As the page of an account shows it.
    await page.getByLabel('To', { exact: true }).fill(number.replaceAll(/(.{4})(?!$)/g, '$1\u00a0'))
    await page.getByRole('button', { name: 'Show the dates' }).click()
    const dates = page.getByRole('list', { name: /^It pays on these dates/ }).getByRole('listitem')
    await dates.first().waitFor()
    expect(await dates.count()).toBe(5)
    expect((await customer.bank.get('/api/orders')).items).toEqual([])
    const save = page.getByRole('button', { name: /^Save: .*9\.50 each time$/ })
    // If the session ends here, the dates are shown again, and behind them is what was entered.
    await endSession(context)
    await save.click()
    await signInAgain(page, customer)
    await save.waitFor()
    await page.getByRole('button', { name: 'Change' }).click()
    expect([
      await page.getByLabel('From', { exact: true }).inputValue(),
      await page.getByLabel('Amount').inputValue(),
      await page.getByLabel('On day').inputValue(),
    ]).toEqual([checking, '9.50', '31'])
    await page.getByRole('button', { name: 'Show the dates' }).click()
    await save.waitFor()
    // A page that has shown them for a week sends nothing: the bank may have forgotten the key.
    await page.clock.setSystemTime((await page.evaluate<number>('Date.now()')) + 6 * 86_400_000)
    await save.click()
    await page.getByText('You entered this more than six days ago').waitFor()
    expect([await save.count(), (await customer.bank.get('/api/orders')).items]).toEqual([0, []])
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByRole('button', { name: 'Show the dates' }).click()
    await save.click()
    const order = page.getByRole('listitem').filter({ hasText: 'Rent' })
    // Whom it pays, as the customer was shown before it was saved.
    await order.getByText(/^To Ada$/).waitFor()
    await order.getByText('On day 31 of each month at 09:00').waitFor()
    await order.getByRole('button', { name: 'Pause' }).click()
    await order.getByText('Paused').waitFor()
    await order.getByRole('button', { name: 'Resume' }).click()
    await order.getByText('Active').waitFor()
    await order.getByText('What it has paid').click()
    await order.getByText('Nothing has been due yet.').waitFor()
    await order.getByRole('button', { name: 'Cancel order' }).click()
    await order.getByRole('button', { name: 'Yes, cancel it for good' }).click()
    await order.getByText('Cancelled').waitFor()
    expect((await customer.bank.get('/api/orders')).items).toMatchObject([{ status: 'cancelled' }])
  })

  test('a document is uploaded, shown small, saved and deleted; a file of another type is refused', async () => {
    const as = await registerCustomer(web().bank)
    const { page, go } = await web().visit({ as })
    await go('/documents')
    const choose = page.locator('input[type=file]')
    await choose.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('no image') })
    await page.getByRole('alert').waitFor()
    await choose.setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: await image('png') })
    await page.getByText('me.png is there.').waitFor()
    const item = page.getByRole('listitem').filter({ hasText: 'me.png' })
    const small = item.locator('img')
    await small.waitFor()
    await until(
      () => small.evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth > 0),
      {
        what: 'the small image',
      },
    )
    await choose.setInputFiles({ name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from(PDF) })
    await page.getByText('a.pdf is there.').waitFor()
    const saving = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download: a.pdf' }).click()
    expect((await saving).suggestedFilename()).toBe('a.pdf')
    await page.getByRole('button', { name: 'Delete: me.png' }).click()
    await page.getByRole('button', { name: 'Yes, delete it' }).click()
    await item.waitFor({ state: 'detached' })
    expect((await as.bank.get('/api/media')).items).toMatchObject([{ file_name: 'a.pdf' }])
  })
}
