import { customerWithMoney, type Web } from './support/browser.ts'

/** How functions started, and how events travel, in the Engine room. */
export function coldStartsAndEvents(web: () => Web): void {
  test('a cold start is a line of bars with its figures, and a function is shown alone with its log', async () => {
    await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/engine/cold-starts')
    // Which function it is depends on what slept: the bank has many readers by now.
    const starts = page.getByRole('table', { name: 'The last 50, one line each' }).getByRole('row')
    // Process, Node, code, first request, first query, and all of it. A process that was started ahead, and
    // has had no request yet, has fewer.
    await starts
      .filter({ hasText: /^[a-z-]+(?:[^]*?[\d.,]+ ms){6}/ })
      .first()
      .waitFor()
    await page.getByText(/^Bare Node, [\d.,]+ ms$/).waitFor()
    await page.getByRole('table', { name: 'How long each phase takes' }).getByText('First query').waitFor()

    await page.getByLabel('Show').selectOption('transfer')
    await page.waitForURL(/\?function=transfer$/)
    await page.getByRole('heading', { name: 'Of the last 50, those of transfer' }).waitFor()
    const log = page.getByRole('region', { name: 'What transfer logged last' })
    await log.getByText('cold start').first().waitFor()
    await log.getByText('npm run logs -- --service transfer').waitFor()
    await log.getByLabel('Level').selectOption('error')
    await log.getByText('No such line.').waitFor()
  })

  test('each Trigger says what it takes and has delivered, and each type of event has an example', async () => {
    await customerWithMoney(web().bank)
    const { page, go } = await web().visit({ as: 'operator', locale: 'de-DE' })
    await go('/engine/events')
    const triggers = page.getByRole('table', { name: 'Trigger', exact: true })
    const notify = triggers.getByRole('row').filter({ has: page.getByText('notify', { exact: true }) })
    await notify
      .filter({ hasText: /transaction\.completed.*bereit.*[1-9]\d* zugestellt/ })
      .first()
      .waitFor()
    await page.getByText(/Bis zu 9 Versuche; die Pausen verdoppeln sich von 0,2 s bis 25,6 s/).waitFor()

    await page.getByLabel('Nach Typ oder Wörtern suchen').fill('overdraft')
    await page.getByText('1 Typ').waitFor()
    await page.getByText('overdraft.changed', { exact: true }).click()
    await page.getByText('"account_id":').waitFor()
  })

  test('where no Prometheus watches the bank, the page of metrics says how to start one', async () => {
    const { page, go } = await web().visit({ as: 'operator', locale: 'de-DE' })
    await go('/engine/metrics?dashboard=functions')
    await page
      .getByRole('region', { name: 'Funktionen und Kaltstarts' })
      .getByText('npm run monitor')
      .waitFor()
    await page.getByRole('combobox', { name: 'Dashboard' }).selectOption('ledger')
    await page.waitForURL(/dashboard=ledger/)
    await page
      .getByRole('region', { name: 'Invarianten des Hauptbuchs' })
      .getByText('npm run monitor')
      .waitFor()
  })
}
