import { randomUUID } from 'node:crypto'
import { registerCustomer } from '../support/customers.ts'
import { until } from '../support/until.ts'
import { customerWithMoney, giveUp, ready, type Web } from './support/browser.ts'

/** One account and its statement. */
export function oneAccount(web: () => Web): void {
  test('an account shows who was paid, the balance after each entry and what is reserved, and gets a name', async () => {
    const { customer, checking, savings } = await customerWithMoney(web().bank)
    await customer.bank.patch('/api/accounts/{id}', { params: { id: savings }, body: { name: 'Holidays' } })
    await customer.bank.post('/api/holds', {
      body: { account_id: checking, amount: '50.00', description: 'Hotel' },
    })
    const { page, go } = await web().visit({ as: customer })
    await go(`/accounts/${checking}`)
    await page.getByRole('heading', { name: 'Checking account' }).waitFor()
    const rows = page.getByRole('region', { name: 'Entries' }).getByRole('link')
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/^To Holidays\s\u2212\$200\.00\s[\d:]+\sBalance after\s\$700\.00$/),
      expect.stringMatching(/^Deposit\s\+\$900\.00\s[\d:]+\sBalance after\s\$900\.00$/),
    ])
    await page.getByRole('region', { name: 'Reserved' }).getByText('Hotel').waitFor()
    await page.getByText('$650.00').waitFor()

    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByLabel('Name').fill('Rent & food')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Rent & food' }).waitFor()
    await page.getByLabel('Balance on').fill('2020-02-29')
    await page.getByText('The account did not exist then.').waitFor()
    expect(new URL(page.url()).search).toBe('?on=2020-02-29')
  })

  test('an account whose opening has no answer is asked for again with its key, also after a reload: there is one', async () => {
    const customer = await registerCustomer(web().bank)
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    const keys: (string | undefined)[] = []
    let isLost = true
    await page.route('**/api/accounts', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback()
      keys.push(route.request().headers()['idempotency-key'])
      const answer = await route.fetch()
      return isLost ? route.abort() : route.fulfill({ response: answer })
    })
    await go('/')
    await page.getByRole('button', { name: 'Open an account' }).first().click()
    await page.getByRole('button', { name: 'Open it' }).click()
    await giveUp(page, keys)
    await page.getByText('Checking account: no answer yet.').waitFor()
    await go('/')
    await page.getByText('Checking account: no answer yet.').waitFor()
    isLost = false
    await page.getByRole('button', { name: 'Ask again' }).click()
    await page.getByText('Checking account: no answer yet.').waitFor({ state: 'detached' })
    expect([keys.length > 1, new Set(keys).size]).toEqual([true, 1])
    expect(Object.keys(await customer.balances())).toHaveLength(1)
  })

  test('entries are filtered by the address, and older ones come page by page', async () => {
    const { customer, checking } = await customerWithMoney(web().bank)
    await customer.bank.post('/api/transactions/batch', {
      body: {
        transactions: Array.from({ length: 60 }, (_, n) => ({
          ...({ type: 'deposit', account_id: checking } as const),
          ...{ amount: '1.00', description: n === 3 ? 'Bottle bank' : `Coin ${n}` },
        })),
      },
    })
    const { page, go } = await web().visit({ as: customer, locale: 'de-DE' })
    await go(`/accounts/${checking}`)
    const rows = page.getByRole('region', { name: 'Buchungen' }).getByRole('link')
    expect(await rows.count()).toBe(50)
    await page.getByRole('button', { name: 'Ältere anzeigen' }).click()
    await rows.nth(61).waitFor()
    expect(await rows.last().innerText()).toContain('900,00')

    await page.getByText('Filtern').click()
    await page.getByLabel('Wörter im Verwendungszweck').fill('bottle')
    await page.getByRole('button', { name: 'Anzeigen', exact: true }).click()
    await page.waitForURL(/\?query=bottle$/)
    await rows.nth(1).waitFor({ state: 'detached' })
    await page.reload()
    await ready(page)
    expect(await rows.allInnerTexts()).toEqual([expect.stringContaining('Bottle bank')])
    await go(`/accounts/${checking}?type=reversal`)
    await page.getByText('Keine Buchung passt.').waitFor()
    await page.getByRole('button', { name: 'Alle anzeigen' }).click()
    await rows.nth(49).waitFor()
  })

  test('J2: a statement leads from opening to closing, is downloaded, and is filed once it is over', async () => {
    const { customer, checking } = await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: customer })
    await go(`/accounts/${checking}`)
    // The menu says where in the bank an account is.
    expect(await page.getByRole('link', { name: 'Accounts' }).getAttribute('aria-current')).toBe('true')
    await page.getByRole('link', { name: 'Statement' }).click()
    const sum = page.getByRole('region', { name: 'From opening to closing' })
    await sum.getByText('Closing balance').waitFor()
    const figures = (await sum.getByRole('definition').allInnerTexts()).join(' ')
    expect(figures).toBe('$0.00 +$900.00 \u2212$200.00 $700.00')
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download CSV' }).click()
    expect((await download).suggestedFilename()).toBe(`statement-${checking}.csv`)
    expect(await page.getByRole('button', { name: 'File it as a document' }).isDisabled()).toBe(true)

    // While the sums of another period are on their way, those of this one don't stand under its days.
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    await page.route(/\/statement\?.*format=json/, async (route) => {
      await arrived
      await route.continue()
    })
    await page.getByRole('button', { name: 'Last month' }).click()
    await sum.getByText('Closing balance').waitFor({ state: 'detached' })
    arrive()
    await sum.getByText('Closing balance').waitFor()
    await page.getByLabel('Count entries').selectOption('as valued')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.waitForURL(/basis=value/)
    await page.getByRole('button', { name: 'File it as a document' }).click()
    await page.getByText('Filed.').waitFor()
    const { items } = await customer.bank.get('/api/media')
    expect(items).toMatchObject([{ document_type: 'statement', statement: { account_id: checking } }])
  })

  test.each([
    [
      'the accounts',
      () => '/',
      ['accounts 200', 'notifications 1', 'notifications 5', 'orders 200', 'users/{id}'],
    ],
    [
      'an account',
      (id: string) => `/accounts/${id}`,
      [
        'accounts/{id}',
        'accounts/{id}/entries 100',
        'accounts/{id}/entries 51',
        'holds 200',
        'notifications 1',
        'users/{id}',
      ],
    ],
  ])(
    '%s: all that the page asks for is asked at once, so no function wakes after another',
    async (_page, at, wanted) => {
      const { customer, checking } = await customerWithMoney(web().bank)
      const { page, go } = await web().visit({ as: customer })
      await go('/me')
      // No answer comes before all questions are asked, and no news that would have some asked again.
      let answer = (): void => {}
      const answers = new Promise<void>((resolve) => (answer = resolve))
      const asked = new Set<string>()
      await page.route(/\/api\/notifications\/stream/, () => undefined)
      await page.route(/\/api\/(?!session|notifications\/stream)/, async (route) => {
        const { pathname, searchParams } = new URL(route.request().url())
        const what = pathname.replace(/^\/api\//, '').replace(/[0-9a-f-]{36}/, '{id}')
        asked.add([what, searchParams.get('limit') ?? ''].join(' ').trim())
        await answers
        await route.continue()
      })
      await page.goto(web().bank.url + at(checking))
      await until(() => asked.size >= wanted.length, { what: `the page to ask for ${wanted.join(', ')}` })
      answer()
      await ready(page)
      expect([...asked].sort()).toEqual([...wanted].sort())
    },
  )

  test('another customer’s account looks like one that does not exist', async () => {
    const [{ checking }, { customer }] = [
      await customerWithMoney(web().bank),
      await customerWithMoney(web().bank),
    ]
    const { page, go } = await web().visit({ as: customer })
    const said: string[] = []
    for (const id of [checking, randomUUID()]) {
      await go(`/accounts/${id}`)
      said.push((await page.getByRole('alert').innerText()).replace(/[0-9a-f]{32}/, ''))
    }
    expect(said[1]).toBe(said[0])
    expect(await page.getByRole('link', { name: 'Statement' }).count()).toBe(0)
  })
}
