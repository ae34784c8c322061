import { HTML_HEADERS } from '../../functions/platform/mails.ts'
import { until } from '../support/until.ts'
import { registerCustomer } from '../support/customers.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

/** J4: the first look at a bank that has just started. It comes before all journeys that move money. */
export function firstLook(web: () => Web): void {
  test('J4: the printed link signs in, once; all is at zero; a transfer wakes functions, and its life tells which', async () => {
    const { bank } = web()
    const [, code] = /\/sign-in#code=([\w-]{43})\s/.exec(bank.output())!
    const { page, context, go } = await web().visit()
    await go(`/sign-in#code=${code}`)
    // What a new bank is, is best seen in the Engine room.
    await page.getByRole('heading', { name: 'What runs' }).waitFor()
    expect(page.url()).not.toContain('code')
    const session = await context.request.get(`${bank.url}/api/session`)
    expect(await session.json()).toMatchObject({ role: 'operator' })
    const again = await web().visit()
    await again.go(`/sign-in#code=${code}`)
    await again.page.getByText('This link has been used, or it is too old.').waitFor()
    await go('/')
    // Not those of all customers, added up.
    await page.getByText('You are signed in as an operator, and have no account.').waitFor()

    await go('/engine')
    const ledger = page.getByRole('region', { name: 'ledger' })
    // A function's state is in words, and zero is no fault.
    for (const name of ['open-account', 'deposit', 'transfer'])
      await ledger.getByRole('button', { name: `${name}: at zero`, exact: true }).waitFor()
    await page.getByRole('heading', { name: 'Triggers and queues' }).waitFor()
    const clicked = page.waitForResponse(
      (answer) =>
        answer.url().endsWith('/api/transactions') &&
        (answer.request().postData() ?? '').includes('"transfer"'),
    )
    await page.getByRole('button', { name: 'Make a transfer' }).click()
    const { id } = (await (await clicked).json()) as { id: string }
    await page.waitForURL(`**/engine/transfers/${id}`)

    // Spans come late. Then one sentence tells where the time went, what it woke, and what it cost.
    const sentence =
      /^Done in [\d.,]+\sm?s: [\d.,]+\sm?s waking [a-z, -]*transfer[a-z, -]*, [\d.,]+\sm?s posting, [\d.,]+\sm?s to the notification\. [1-9]\d*\shops, \d+\sretries, 0\.\d+\sGB-s\.$/
    await page.getByText(sentence).waitFor()
    const hops = page.getByRole('table', { name: 'Hops' }).getByRole('row')
    await hops
      .filter({ hasText: /^Cold start: .*transfer/ })
      .first()
      .waitFor()
    await hops.filter({ hasText: 'Delivery: notify' }).first().waitFor()
    const proof = page.getByRole('region', { name: 'Proof' })
    await proof.getByText('0.00 USD', { exact: true }).waitFor()
    expect(await proof.getByText('Follows').count()).toBe(2)
  })
}

/** What the Engine room shows of a bank that is used. */
export function engineRoom(web: () => Web): void {
  test('what happens is told live, and events are dots', async () => {
    const { page, go } = await web().visit({ as: 'operator' })
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    const ledger = page.getByRole('region', { name: 'ledger' })
    // What others do is told live, while the map is open.
    await go('/engine')
    const dots = page.locator('[data-dots]')
    await dots.waitFor({ state: 'attached' })
    await customerWithMoney(web().bank)
    await until(async () => Number(await dots.getAttribute('data-dots')) > 0)
    await ledger.getByRole('button', { name: /^transfer: (ready|busy)/ }).waitFor()
  })

  test('the same as tables; beside a function stand its scale, its routes and its manifest', async () => {
    const { page, go } = await web().visit({ as: 'operator' })
    let streams = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/platform/stream')) streams++
    })
    await go('/engine')
    await page.getByRole('button', { name: 'Table' }).click()
    const table = page.getByRole('table', { name: 'Functions' })
    await table.getByRole('button', { name: 'freeze-account', exact: true }).click()
    const panel = page.getByRole('complementary', { name: 'freeze-account' })
    await panel.getByText('POST /api/accounts/{id}/freeze').waitFor()
    await panel.getByText('"serving.knative.dev/v1"').waitFor()
    expect(new URL(page.url()).search).toBe('?view=table&function=freeze-account')
    await panel.press('Escape')
    await panel.waitFor({ state: 'detached' })
    await page
      .getByRole('table', { name: 'Triggers' })
      .getByRole('row', { name: /^send-email/ })
      .waitFor()
    expect(streams).toBe(1)
  })

  test('the HTML of an email is shown, but nothing of it runs, and nothing is loaded', async () => {
    const { page, go } = await web().visit({ as: 'operator' })
    // This bank's emails go to a mail server, so the runtime has none. The policy is the function's own.
    const mail = { id: '1-a', at: new Date().toISOString(), to: 'ada@example.com', subject: 'Hello' }
    const html = `<p style="color: rgb(1, 2, 3)">Dear Ada</p><img src="${web().bank.url}/api/session?image">
      <script>document.body.textContent = 'It ran.'</script><img src="x" onerror="document.body.textContent = 'It ran.'">
      <iframe src="${web().bank.url}/api/session?frame"></iframe><link rel="stylesheet" href="/api/session?style">`
    await page.route('**/api/platform/mails', (route) =>
      route.fulfill({ json: { why_not: null, items: [mail], total: 1 } }),
    )
    await page.route('**/api/platform/mails/1-a', (route) =>
      route.fulfill({
        json: { ...mail, from: 'bank@example.com', text: 'Dear Ada', has_html: true, attachments: [] },
      }),
    )
    await page.route('**/api/platform/mails/1-a/html', (route) =>
      route.fulfill({ body: html, headers: HTML_HEADERS }),
    )
    const loaded: string[] = []
    page.on('response', (answer) => {
      if (/[?](image|frame|style)/.test(answer.url())) loaded.push(answer.url())
    })
    await go('/engine/mail?mail=1-a')
    const shown = page.frameLocator('iframe').getByText('Dear Ada')
    await shown.waitFor()
    // Its own style counts.
    const colour = await page.frames()[1]!.evaluate(`getComputedStyle(document.querySelector('p')).color`)
    expect(colour).toBe('rgb(1, 2, 3)')
    expect([loaded, await page.frameLocator('iframe').getByText('It ran.').count()]).toEqual([[], 0])
    // The browser has logged each try.
    web().forgive(/Content Security Policy|sandboxed/)
  })

  test('customers see no Engine room', async () => {
    const { page, go } = await web().visit({ as: await registerCustomer(web().bank) })
    await go('/engine')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  })
}
