import type { Web } from './support/browser.ts'

/** J5: the ledger is killed and each event comes twice, under traffic, and every cent is there. */
export function breakingIt(web: () => Web): void {
  test('the bank is broken for some seconds, holds, and the report has the seed', async () => {
    const { page, context, go } = await web().visit({ as: 'operator' })
    await go('/engine/lab')
    await page.getByRole('combobox', { name: 'Scenario' }).selectOption('By hand')
    await page.getByRole('spinbutton', { name: 'Transactions a second' }).fill('10')
    await page.getByRole('spinbutton', { name: 'Seconds' }).fill('3')
    await page.getByRole('spinbutton', { name: 'Seed' }).fill('4711')
    await page.getByRole('checkbox', { name: 'Deliver each event again' }).check()
    await page.getByRole('spinbutton', { name: 'Times' }).fill('2')
    await page.getByRole('checkbox', { name: 'Kill functions' }).check()
    await page.getByRole('spinbutton', { name: 'Every (ms)' }).fill('700')
    await page.getByRole('combobox', { name: 'Function' }).selectOption('transfer')
    await page.getByRole('button', { name: 'Break it' }).click()
    const beside = page.getByRole('region', { name: 'What must be true' })
    await beside.getByRole('button', { name: 'Stop everything' }).waitFor()
    await page
      .getByRole('list', { name: 'The parts of the bank' })
      .getByText(/Deliver each event again/)
      .waitFor()
    await beside.getByText('All of it held.').waitFor()

    const address = await beside.getByRole('link', { name: 'Report (JSON)' }).getAttribute('href')
    const run = await (await context.request.get(web().bank.url + address)).json()
    expect(run).toMatchObject({ seed: 4711, verdict: 'green', ended_by: 'time', broken_now: [] })
    expect(run.counts).toMatchObject({ lost: 0, doubled: 0, unanswered: 0, took_effect: run.counts.moved })
    expect(run.counts.moved).toBeGreaterThan(0)
    expect(run.story).toContainEqual(expect.objectContaining({ fault: 'kill-function', place: 'transfer' }))
    const markdown = await beside.getByRole('link', { name: 'Report (Markdown)' }).getAttribute('href')
    expect(await (await context.request.get(web().bank.url + markdown)).text()).toContain('| seed | 4711 |')
  })
}
