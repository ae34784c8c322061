import { readFile } from 'node:fs/promises'
import type { Download } from 'playwright-core'
import type { LabRun } from '../../functions/platform/lab/run-schema.ts'
import type { Web } from './support/browser.ts'

/** J5: under traffic the ledger is killed, each event comes five times and RabbitMQ is away, and every cent
 * is there. */
export function breakingIt(web: () => Web): void {
  test('J5: the bank is broken for some seconds, holds, and the report has the seed', async () => {
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/engine/lab')
    await page.getByRole('combobox', { name: 'Scenario' }).selectOption('By hand')
    await page.getByRole('spinbutton', { name: 'Transactions a second' }).fill('10')
    await page.getByRole('spinbutton', { name: 'Seconds', exact: true }).fill('8')
    await page.getByRole('spinbutton', { name: 'Seed' }).fill('4711')
    await page.getByRole('checkbox', { name: 'Deliver each event again' }).check()
    await page.getByRole('spinbutton', { name: 'Times' }).fill('5')
    await page.getByRole('checkbox', { name: 'Kill functions' }).check()
    await page.getByRole('spinbutton', { name: 'Every (ms)' }).fill('700')
    await page.getByRole('combobox', { name: 'Function' }).selectOption('transfer')
    await page.getByRole('checkbox', { name: 'RabbitMQ away' }).check()
    await page.getByRole('spinbutton', { name: 'Seconds away' }).fill('1')
    await page.getByRole('button', { name: 'Break it' }).click()
    const beside = page.getByRole('region', { name: 'Invariants' })
    await beside.getByRole('button', { name: 'Stop everything' }).waitFor()
    await page
      .getByRole('list', { name: 'The parts of the bank' })
      .getByText(/Deliver each event again/)
      .waitFor()
    await beside.getByText('All of it held.').waitFor()

    expect(await beside.getByText(/^.OK$/).count()).toBe(7)
    const download = async (name: string): Promise<string> => {
      const saving: Promise<Download> = page.waitForEvent('download')
      await beside.getByRole('link', { name }).click()
      return readFile(await (await saving).path(), 'utf8')
    }
    const run = JSON.parse(await download('Report (JSON)')) as LabRun
    expect(run).toMatchObject({ seed: 4711, verdict: 'green', ended_by: 'time', broken_now: [] })
    expect(run.counts).toMatchObject({ lost: 0, doubled: 0, unanswered: 0, took_effect: run.counts.moved })
    expect(run.counts.moved).toBeGreaterThan(0)
    // What came after the faults was delivered once.
    expect(run.counts.deliveries).toBeGreaterThan(run.counts.moved)
    expect(run.story).toContainEqual(expect.objectContaining({ fault: 'kill-function', place: 'transfer' }))
    expect(run.story).toContainEqual(expect.objectContaining({ fault: 'rabbitmq-away' }))
    expect(await download('Report (Markdown)')).toContain('| seed | 4711 |')
  })
}
