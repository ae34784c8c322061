import { PDF } from '../../functions/documents/testing/documents-fixture.ts'
import { operatorOf } from '../support/bank.ts'
import { until } from '../support/until.ts'
import { customerWithMoney, endSession, inGroups, signInAgain, type Web } from './support/browser.ts'
import { hasFocus, typistAt } from './support/keyboard.ts'

/** A customer calls: an operator finds them, does something about their account, and the audit shows it. */
export function customers(web: () => Web): void {
  test('J3: by the keyboard alone an operator finds a customer by an account number, freezes the account with a reason, and the audit shows it', async () => {
    const { customer, checking, savings } = await customerWithMoney(web().bank)
    const { number } = await customer.bank.get('/api/accounts/{id}', { params: { id: checking } })
    await customer.bank.post('/api/orders', {
      body: {
        ...{ account_id: checking, to_account_id: savings, amount: '5.00', currency: 'USD' },
        ...{ description: 'Holidays', schedule: { every: 'month', on: 31 } },
      },
    })
    const { page, go } = await web().visit({ as: 'operator' })
    const { press, type } = typistAt(page)
    await go('/office/customers')
    await page.getByText('Each reading is in the audit').waitFor()
    await type(page.getByLabel('Find a customer'), inGroups(number))
    await page.keyboard.press('Enter')
    const found = page.getByRole('table', { name: 'Found' })
    await found.getByText(customer.email).waitFor()
    await press(found.getByRole('link'))
    await page.getByRole('table', { name: 'Payment orders' }).getByText('Holidays').waitFor()
    await page.getByRole('table', { name: 'Signed in' }).waitFor()
    const accounts = page.getByRole('table', { name: 'Accounts' })
    await press(accounts.getByRole('row', { name: number.slice(-4) }).getByRole('link'))

    await press(page.getByRole('button', { name: 'Freeze' }))
    await page.getByText('1 order will fail.').waitFor()
    await press(page.getByRole('button', { name: 'Cancel' }))
    // Back to what had opened it, and from there it opens again.
    await until(() => hasFocus(page.getByRole('button', { name: 'Freeze' })), { what: 'the focus to return' })
    await page.keyboard.press('Enter')
    await page.getByText('1 order will fail.').waitFor()
    // Without a reason nothing is done, and the field has the focus.
    await press(page.getByRole('button', { name: 'Freeze the account' }))
    expect(await page.locator(':focus').getAttribute('name')).toBe('reason')
    await page.keyboard.type('Card lost')
    const sent = page.waitForRequest(/\/freeze$/)
    await page.keyboard.press('Enter')
    expect((await sent).headers()['session-user']).toMatch(/^[0-9a-f-]{36}$/)
    await page.getByText('The account is frozen.').waitFor()
    await page.getByRole('table', { name: 'Changes of the account' }).getByText('Card lost').waitFor()
    const refused = await customer.transact({ type: 'withdrawal', account_id: checking, amount: '1.00' })
    expect([refused.status, refused.body.type]).toEqual([409, expect.stringMatching(/account-frozen$/)])

    await press(page.getByRole('link', { name: 'To the customer' }))
    const audit = page.getByRole('region', { name: 'What was done' })
    const entry = audit.getByRole('row', { name: 'freeze-account' })
    await press(entry.locator('summary'))
    await entry.getByText('"reason":"Card lost"').waitFor()
    // In the Bank an operator sees only what is theirs.
    await go('/orders')
    await page.getByText('You have no payment order.').waitFor()
  })

  test('an operator releases what is reserved and reverses a transfer, with a reason', async () => {
    const { customer, checking, transfer } = await customerWithMoney(web().bank)
    await customer.bank.post('/api/holds', {
      body: { account_id: checking, amount: '50.00', description: 'Hotel' },
    })
    const { page, go } = await web().visit({ as: 'operator' })
    await go(`/office/accounts/${checking}`)
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByText('It can be closed once its balance is zero').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Release' }).click()
    await page.getByRole('button', { name: 'Release $50.00' }).click()
    await page.getByText('Hotel').waitFor({ state: 'detached' })

    await page.getByRole('button', { name: /^Reverse: To .*\$200\.00$/ }).click()
    await page.getByLabel('Reason').fill('Paid twice')
    await page.getByRole('button', { name: 'Reverse $200.00' }).click()
    await page.getByRole('link', { name: /^Reversal/ }).waitFor()
    const { status } = await customer.bank.get('/api/transactions/{id}', { params: { id: transfer } })
    expect([status, (await customer.balances())[checking]]).toEqual(['reversed', '900.00'])
  })

  test('an operator edits a customer, opens an account, sends a message and uploads a document; a customer finds no such page', async () => {
    const { customer } = await customerWithMoney(web().bank)
    const { page, context, go } = await web().visit({ as: 'operator' })
    await go(`/office/customers/${customer.id}`)
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Name').fill('Ada Lovelace')
    await page.getByRole('button', { name: 'Save the changes' }).click()
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()
    await page.getByRole('button', { name: 'Open an account' }).click()
    await page.getByLabel('Currency').selectOption('EUR')
    await page.getByLabel('Cash paid in').fill('12.50')
    await page.getByRole('button', { name: 'Open the account' }).click()
    await page.getByRole('table', { name: 'Accounts' }).getByText('12.50').first().waitFor()
    await page.getByRole('button', { name: 'Send a message' }).click()
    await page.getByLabel('Channel').selectOption('email')
    await page.getByLabel('Message', { exact: true }).fill('Your card is on its way.')
    // The session ends meanwhile. After signing in again, the form is open, with what was chosen and typed.
    await endSession(context)
    await page.getByRole('button', { name: 'Send the message' }).click()
    await signInAgain(page, operatorOf(web().bank))
    await page.getByRole('button', { name: 'Send the message' }).waitFor()
    expect(await page.getByLabel('Channel').inputValue()).toBe('email')
    await page.getByLabel('Channel').selectOption('in-app')
    await page.getByRole('button', { name: 'Send the message' }).click()
    await page.getByRole('table', { name: 'Messages' }).getByText('Your card is on its way.').waitFor()

    await page.getByRole('button', { name: 'Upload a document' }).click()
    const file = { name: 'contract.pdf', mimeType: 'application/pdf', buffer: Buffer.from(PDF) }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByText('contract.pdf is there.').waitFor()
    const documents = page.getByRole('table', { name: 'Documents' })
    await documents.getByRole('row', { name: /contract\.pdf.*The bank/ }).waitFor()
    await page
      .getByRole('region', { name: 'What was done' })
      .getByRole('row', { name: 'upload-document' })
      .waitFor()

    const theirs = await web().visit({ as: customer })
    await theirs.go('/documents')
    await theirs.page
      .getByRole('listitem')
      .filter({ hasText: /contract\.pdf[^]*From the bank/ })
      .waitFor()
    await theirs.go(`/office/customers/${customer.id}`)
    await theirs.page.getByRole('link', { name: 'To your accounts' }).waitFor()
    await theirs.go('/notifications')
    await theirs.page.getByText('Your card is on its way.').first().waitFor()
  })
}
