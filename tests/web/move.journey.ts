import { randomUUID } from 'node:crypto'
import type { Locator, Page, Route } from 'playwright-core'
import { loginOperator } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import { until } from '../support/until.ts'
import { endSession, giveUp, inGroups, PASSWORD, signIn, signInAgain, type Web } from './support/browser.ts'
import { hasFocus, typistAt } from './support/keyboard.ts'

/** Money moves once, and the page says so, whatever is lost on the way. */

const TRANSACTIONS = '**/api/transactions'

/** Registers a customer with two accounts and 900 on the first. */
async function customerWith900(web: Web) {
  const customer = await registerCustomer(web.bank)
  const checking = await customer.openAccount('checking')
  const savings = await customer.openAccount('savings')
  await customer.transact({ type: 'deposit', account_id: checking, amount: '900.00' })
  return { customer, checking, savings }
}

/** Enters a transfer between the customer's own accounts, and goes to the review. */
async function reviewTransfer(page: Page, to: string, amount: string): Promise<void> {
  await page.getByLabel('To', { exact: true }).selectOption(to)
  await page.getByLabel('Amount').fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('heading', { name: 'Check before you send' }).waitFor()
}

/** Registers a payee, and returns the number of their account. */
async function payeesNumber(web: Web): Promise<string> {
  const payee = await registerCustomer(web.bank)
  const id = await payee.openAccount('checking')
  return (await payee.bank.get('/api/accounts/{id}', { params: { id } })).number
}

/** Enters a payment of $30, and has the payee named. Returns the button that sets its money aside. */
async function checkPayment(page: Page, number: string): Promise<Locator> {
  await page.getByLabel('Account number or e-mail of the payee').fill(number)
  await page.getByLabel('Amount').fill('30')
  await page.getByRole('button', { name: 'Check' }).click()
  return page.getByRole('button', { name: 'Set aside $30.00' })
}

/** Lets requests for money through from now on, except that the answers of the first `count` are lost after
 * the bank has given them. Returns the keys that were sent. */
async function loseAnswers(page: Page, count: number): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = []
  await page.route(TRANSACTIONS, async (route: Route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    keys.push(route.request().headers()['idempotency-key'])
    const answer = await route.fetch()
    return keys.length > count ? route.fulfill({ response: answer }) : route.abort()
  })
  return keys
}

/** Lets no timer of the page run until its clock is resumed, which must have been installed: after five
 * seconds the page asks again by itself, and a slow machine may need them from one click to the next. Waits
 * until the button is enabled, for which a page needs timers. */
async function stopTimers(page: Page, button: Locator): Promise<void> {
  await until(() => button.isEnabled(), { what: 'the button to be enabled' })
  await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 60_000)
}

const valueOf = (element: unknown): string => (element as { value: string }).value

const send = (page: Page, amount: string) => page.getByRole('button', { name: `Send ${amount}` })

async function balancesOf({ balances }: Customer, ...ids: string[]): Promise<(string | undefined)[]> {
  const found = await balances()
  return ids.map((id) => found[id])
}

export function movingMoney(web: () => Web): void {
  test('J1: first money by the keyboard alone: sign up, two accounts, 900 in, 200 across, and the bank tells of it', async () => {
    const { page, go } = await web().visit()
    const { reach, press, type, choose } = typistAt(page)
    await go('/sign-up')
    await type(page.getByLabel('Name'), 'Ada Lovelace')
    await type(page.getByLabel('E-mail'), `${randomUUID()}@example.com`)
    await type(page.getByLabel('Password'), PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    const opener = page.getByRole('button', { name: 'Open an account' })
    for (const kind of ['checking', 'savings']) {
      await press(opener)
      await choose(page.getByLabel('Kind'), kind)
      await press(page.getByRole('button', { name: 'Open it' }))
      await page
        .getByRole('link', { name: kind === 'checking' ? 'Checking account' : 'Savings account' })
        .waitFor()
      // What had opened the form has the focus again.
      await until(() => hasFocus(opener), { what: 'the focus to return' })
    }
    await press(page.getByRole('main').getByRole('link', { name: 'Move money' }))
    // A new page has it on its heading, so Tab goes to what is on the page.
    await until(() => hasFocus(page.getByRole('heading', { name: 'Move money' })), {
      what: 'the heading to have the focus',
    })
    await choose(page.getByRole('radio', { checked: true }), 'deposit')
    const account = page.getByLabel('To', { exact: true })
    await choose(account, await account.locator('option').nth(2).evaluate(valueOf))
    await type(page.getByLabel('Amount'), '9oo')
    await page.keyboard.press('Enter')
    // The field with the fault has it.
    await page.getByText('This is not an amount.').waitFor()
    expect(await page.locator(':focus').getAttribute('name')).toBe('amount')
    await type(page.getByLabel('Amount'), '900')
    await page.getByText('That is $900.00.').waitFor()
    await press(page.getByRole('button', { name: 'Review' }))
    await press(page.getByRole('button', { name: 'Pay in $900.00' }))
    await page.getByRole('heading', { name: 'Paid in $900.00' }).waitFor()
    await press(page.getByRole('button', { name: 'Move more' }))
    await reach(page.getByRole('radio', { checked: true }))
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    await choose(account, await account.locator('option').nth(1).evaluate(valueOf))
    await type(page.getByLabel('Amount'), '200')
    await page.keyboard.press('Enter')
    await page.getByText('$700.00').waitFor()
    await press(send(page, '$200.00'))
    await page.getByRole('heading', { name: 'Sent $200.00' }).waitFor()
    await press(page.getByRole('link', { name: 'Receipt' }))
    await page.getByText('0.00 USD', { exact: true }).waitFor()
    await until(
      async () => {
        await page.reload()
        await page.getByRole('heading', { name: 'Entries' }).waitFor()
        return page.getByText('Transfer of $200.00').first().isVisible()
      },
      { what: 'the receipt to say what the customer was told' },
    )
  })

  test('an answer is lost after the commit, and the button is clicked twice: two attempts, moved once', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/move')
    await page.getByLabel('To', { exact: true }).selectOption(savings)
    await page.getByLabel('Amount').fill('1,00.5')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('This is not an amount.').waitFor()
    await reviewTransfer(page, savings, '200.50')
    const keys = await loseAnswers(page, 1)
    await stopTimers(page, send(page, '$200.50'))
    await send(page, '$200.50').dblclick()
    await page.getByRole('heading', { name: 'No answer yet' }).waitFor()
    await page.getByRole('button', { name: 'Ask now' }).click()
    await page.getByText('Answered at attempt 2, as a repeat: moved once.').waitFor()
    expect([keys.length, new Set(keys).size]).toEqual([2, 1])
    expect(await balancesOf(customer, checking, savings)).toEqual(['699.50', '200.50'])
  })

  test('a reload in the middle goes on asking with the same key', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/move')
    await reviewTransfer(page, savings, '10')
    // At the review, too, it is the same order.
    await page.reload()
    const keys = await loseAnswers(page, 1)
    await stopTimers(page, send(page, '$10.00'))
    await send(page, '$10.00').click()
    await page.getByRole('heading', { name: 'No answer yet' }).waitFor()
    await page.reload()
    await page.clock.resume()
    await page.getByText('Answered at attempt 2, as a repeat: moved once.').waitFor()
    expect([keys.length, new Set(keys).size]).toEqual([2, 1])
    expect(await balancesOf(customer, checking)).toEqual(['890.00'])
    // The same amount to the same payee again is asked about.
    await page.getByRole('button', { name: 'Move more' }).click()
    await reviewTransfer(page, savings, '10')
    await page.getByText('You moved the same amount to the same payee').waitFor()
  })

  test('what was sent is not in the form again once its user has signed in anew', async () => {
    const { customer, savings } = await customerWith900(web())
    const { page, context, go } = await web().visit({ as: customer })
    await go('/move')
    await reviewTransfer(page, savings, '10')
    await send(page, '$10.00').click()
    await page.getByRole('heading', { name: 'Sent $10.00' }).waitFor()
    // Another tab has each of its user's tabs loaded anew, with what is entered there.
    const other = await context.newPage()
    await other.goto(`${web().bank.url}/sign-in`)
    const loaded = page.waitForEvent('load')
    await signInAgain(other, customer)
    await loaded
    await page.getByRole('button', { name: 'Review' }).waitFor()
    expect([
      await page.getByLabel('To', { exact: true }).inputValue(),
      await page.getByLabel('Amount').inputValue(),
    ]).toEqual(['', ''])
  })

  test('a tab that hasn’t heard who is signed in by now does nothing for them, and the order stays', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const other = await registerCustomer(web().bank)
    await other.openAccount('checking')
    const { page, context, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/move')
    await reviewTransfer(page, savings, '10')
    const keys = await loseAnswers(page, 1)
    await stopTimers(page, send(page, '$10.00'))
    await send(page, '$10.00').click()
    await page.getByRole('heading', { name: 'No answer yet' }).waitFor()
    await signIn(context, web().bank, other)
    await page.clock.resume()
    // It finds out by the refusal, loads anew, and shows nothing of the order.
    await page.getByRole('button', { name: 'Review' }).waitFor()
    expect(keys).toHaveLength(2)
    await signIn(context, web().bank, customer)
    await page.reload()
    await page.getByText('as a repeat: moved once.').waitFor()
    expect(new Set(keys).size).toBe(1)
    expect(await balancesOf(customer, checking, savings)).toEqual(['890.00', '10.00'])
  })

  test('refused for want of money, it says what there is and keeps what was entered', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const { page, go } = await web().visit({ as: customer })
    await go('/move')
    await page.getByLabel('Description (optional)').fill('Rent')
    await reviewTransfer(page, savings, '900.01')
    const note = page.getByText('Not sent. Your available balance is $900.00.')
    await note.waitFor()
    expect(await send(page, '$900.01').count()).toBe(0)
    await page.getByRole('button', { name: 'Change' }).click()
    expect(await page.getByLabel('Amount').inputValue()).toBe('900.01')
    await reviewTransfer(page, savings, '800')
    // Somebody else spends it between review and sending.
    await customer.transact({ type: 'withdrawal', account_id: checking, amount: '500.00' })
    await send(page, '$800.00').click()
    await page.getByText('Not sent. Your available balance is').waitFor()
    expect(await page.locator(':focus').getAttribute('role')).toBe('alert')
    await page.getByText('Not sent. Your available balance is $400.00.').waitFor()
    expect(await page.getByLabel('Description (optional)').inputValue()).toBe('Rent')
    expect(await balancesOf(customer, checking, savings)).toEqual(['400.00', '0.00'])
  })

  test('each refusal says that nothing was sent, and why', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const token = await loginOperator(web().bank)
    const decide = async (method: string, path: string, body: object): Promise<void> => {
      const { status } = await web().bank.call(method, `/api/accounts/${path}`, {
        token,
        body: { ...body, reason: 'They asked for it' },
      })
      expect([path, status]).toEqual([path, 200])
    }
    const { page, go } = await web().visit({ as: customer })
    await go('/move')
    for (const [limits, sentence] of [
      [{ transaction_max: '5.00' }, 'Not sent. This is more than may be sent at once.'],
      [{ day_max: '5.00' }, 'Not sent. This is more than is left of today’s limit.'],
      [{ month_max: '5.00' }, 'Not sent. This is more than is left of the limit of 30 days.'],
    ] as const) {
      await decide('PUT', `${checking}/limits`, { ...limits, time_zone: 'UTC' })
      await reviewTransfer(page, savings, '10')
      await page.getByText(sentence).waitFor()
      expect(await send(page, '$10.00').count()).toBe(0)
      await page.getByRole('button', { name: 'Change' }).click()
    }
    // At the review nothing is wrong yet.
    await decide('PUT', `${checking}/limits`, { time_zone: 'UTC' })
    for (const [path, sentence] of [
      [`${checking}/freeze`, 'Not sent. One of the accounts is frozen.'],
      [`${savings}/close`, 'Not sent. One of the accounts is closed.'],
    ] as const) {
      await go('/move')
      await reviewTransfer(page, savings, '10')
      const button = send(page, '$10.00')
      await until(() => button.isEnabled(), { what: 'the order to be tried' })
      await decide('POST', path, {})
      await button.click()
      await page.getByText(sentence).waitFor()
      if (path.endsWith('/freeze')) await decide('POST', `${checking}/unfreeze`, {})
    }
    expect(await balancesOf(customer, checking, savings)).toEqual(['900.00', '0.00'])
  })

  test('offline nothing is sent; back online the order is asked for again, in German', async () => {
    const { customer, checking, savings } = await customerWith900(web())
    const { page, context, go } = await web().visit({ as: customer, locale: 'de-DE' })
    await go('/move')
    await page.getByLabel('Auf', { exact: true }).selectOption(savings)
    await page.getByLabel('Betrag').fill('1.234,5')
    await page.getByText('Das sind 1.234,50 $.').waitFor()
    await page.getByLabel('Betrag').fill('12,5')
    await page.getByRole('button', { name: 'Prüfen' }).click()
    const button = page.getByRole('button', { name: '12,50 $ senden' })
    await button.waitFor()
    await context.setOffline(true)
    await page.getByText('Sie sind offline. Nichts wird gesendet.').waitFor()
    expect(await button.isDisabled()).toBe(true)
    await context.setOffline(false)
    await loseAnswers(page, 1)
    await button.click()
    await page.getByRole('heading', { name: 'Noch keine Antwort' }).waitFor()
    await context.setOffline(true)
    await context.setOffline(false)
    await page.getByText('Beim 2. Versuch beantwortet, als Wiederholung: einmal bewegt.').waitFor()
    expect(await balancesOf(customer, checking, savings)).toEqual(['887.50', '12.50'])
  })

  test('a payee is named before money moves, and the browser checks the sealed entry', async () => {
    const { customer } = await customerWith900(web())
    const payee = await registerCustomer(web().bank)
    await payee.bank.patch('/api/users/{id}', {
      params: { id: payee.id },
      body: { name: 'Bob Martin Smith' },
    })
    const account = await payee.openAccount('checking')
    const { number } = await payee.bank.get('/api/accounts/{id}', { params: { id: account } })
    const { page, go } = await web().visit({ as: customer })
    await go('/move?kind=pay')
    await page.getByLabel('Account number or e-mail of the payee').fill('100000000000')
    await page.getByLabel('Amount').fill('50')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('No open account in this currency has this number or address.').waitFor()
    expect(await page.locator(':focus').getAttribute('name')).toBe('payee')
    await page.getByLabel('Account number or e-mail of the payee').fill(number)
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText(`Bob M. S. (${inGroups(number)})`).waitFor()
    await send(page, '$50.00').click()
    await page.getByRole('link', { name: 'Receipt' }).click()
    await page.getByRole('heading', { name: 'Receipt' }).waitFor()
    // The call that sent it leads there, too.
    await page.keyboard.press('Control+.')
    const calls = page.getByRole('complementary', { name: 'API calls of this page' }).getByRole('listitem')
    const sent = calls.filter({ hasText: /^POST \/api\/transactions\W*20/ })
    expect(await sent.getByRole('link', { name: 'Receipt' }).getAttribute('href')).toBe(
      new URL(page.url()).pathname,
    )
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Check now' }).click()
    await page.getByText('The hash of entry 2 follows from its content.').waitFor()
    await page.getByText('The books of this hour aren’t sealed yet.').waitFor()
    await web().bank.sql('ledger', 'select check_accounts(array(select id from accounts where version > 0))')
    await web().bank.ping('seal-ledger')
    await page.getByRole('button', { name: 'Check now' }).click()
    await page.getByText('The entry is under the signed root of').waitFor()
    await page.getByText('microbank.dev/ledger+').waitFor()
    expect(await balancesOf(payee, account)).toEqual(['50.00'])
  })

  test('a payment is set aside for a named payee, executed, and another one is cancelled', async () => {
    const { customer, checking } = await customerWith900(web())
    const payee = await registerCustomer(web().bank)
    const account = await payee.openAccount('checking')
    const { number } = await payee.bank.get('/api/accounts/{id}', { params: { id: account } })
    const { page, go } = await web().visit({ as: customer })
    await go('/payments')
    for (const amount of ['30', '7']) {
      await page.getByLabel('Account number or e-mail of the payee').fill(number)
      await page.getByLabel('Amount').fill(amount)
      await page.getByRole('button', { name: 'Check' }).click()
      await page.getByText(`for Ada (${inGroups(number)})?`).waitFor()
      await page.getByRole('button', { name: `Set aside $${amount}.00` }).click()
      await page.getByRole('button', { name: `Pay $${amount}.00` }).waitFor()
    }
    expect(await balancesOf(customer, checking)).toEqual(['900.00'])
    await page.getByRole('button', { name: 'Pay $30.00' }).click()
    await page.getByText(/^.Paid$/).waitFor()
    await page.getByRole('button', { name: 'Cancel payment' }).click()
    await page.getByText(/^.Cancelled$/).waitFor()
    expect(await balancesOf(customer, checking)).toEqual(['870.00'])
    expect(await balancesOf(payee, account)).toEqual(['30.00'])
  })

  test('a payment whose answer is lost as the session ends can only be asked for again, and is one', async () => {
    const { customer } = await customerWith900(web())
    const number = await payeesNumber(web())
    const { page, context, go } = await web().visit({ as: customer })
    const keys: (string | undefined)[] = []
    await page.route('**/api/payments/create', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      if (keys.length > 1) return route.fallback()
      await route.fetch()
      await endSession(context)
      return route.abort()
    })
    await go('/payments')
    const create = await checkPayment(page, number)
    await create.click()
    await signInAgain(page, customer)
    await page.getByText('No answer yet.').waitFor()
    // Changed, it would be another payment.
    expect(await page.getByRole('button', { name: 'Change' }).count()).toBe(0)
    await create.click()
    await create.waitFor({ state: 'detached' })
    expect(new Set(keys).size).toBe(1)
    expect((await customer.bank.get('/api/payments')).items).toHaveLength(1)
  })

  test('a payment without an answer that a page has shown for a week is not asked for again', async () => {
    const { customer } = await customerWith900(web())
    const number = await payeesNumber(web())
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    const keys: (string | undefined)[] = []
    await page.route('**/api/payments/create', (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      return route.abort()
    })
    await go('/payments')
    const create = await checkPayment(page, number)
    await create.click()
    await giveUp(page, keys)
    await page.getByText('No answer yet.').waitFor()
    const asked = keys.length
    // The bank may have forgotten the key.
    await page.clock.setSystemTime((await page.evaluate<number>('Date.now()')) + 6 * 86_400_000)
    await create.click()
    await page.getByText('You entered this more than six days ago').waitFor()
    expect([await create.count(), keys.length]).toEqual([0, asked])
    // Who has looked may enter another.
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByRole('button', { name: 'Check' }).click()
    await create.click()
    await until(() => keys.length > asked, { what: 'another payment' })
    expect([new Set(keys.slice(0, asked)).size, keys.slice(0, asked).includes(keys.at(-1))]).toEqual([
      1,
      false,
    ])
  })
}
