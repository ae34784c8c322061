import { until } from '../support/until.ts'
import { registerCustomer } from '../support/customers.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

/** J4: the first look at a bank that has just started, and what the Engine room shows of it. */
export function engineRoom(web: () => Web): void {
  test('one click makes a transfer: functions wake, its event is a dot, and its life opens', async () => {
    const { page, go } = await web().visit({ as: 'operator' })
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    await go('/engine')
    const ledger = page.getByRole('region', { name: 'ledger' })
    // A function's state is in words, and zero is no fault.
    const transfer = ledger.getByRole('button', { name: /^transfer: / })
    await transfer.waitFor()
    await page.getByRole('heading', { name: 'Triggers and queues' }).waitFor()
    const clicked = page.waitForResponse(
      (answer) =>
        answer.url().endsWith('/api/transactions') &&
        (answer.request().postData() ?? '').includes('"transfer"'),
    )
    await page.getByRole('button', { name: 'Make a transfer' }).click()
    const { id } = (await (await clicked).json()) as { id: string }
    await page.waitForURL(`**/engine/transfers/${id}`)
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

  test('customers see no Engine room', async () => {
    const { page, go } = await web().visit({ as: await registerCustomer(web().bank) })
    await go('/engine')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  })
}
