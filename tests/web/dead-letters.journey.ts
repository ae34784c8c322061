import { randomUUID } from 'node:crypto'
import { transactionCompleted } from '../../eventing/contracts/transaction.completed.ts'
import { loginOperator, type Bank } from '../support/bank.ts'
import { until } from '../support/until.ts'
import type { Web } from './support/browser.ts'

/** Dead letters in the Back office. An event becomes one half a minute after it was published, and takes as
 * long to come back. So the poison is published before all journeys, and looked at again after them. */

/** Publishes two events that no consumer takes, because nobody has signed them. Resolves with their ids. */
export async function publishPoison(bank: Bank): Promise<string[]> {
  const ids = [randomUUID(), randomUUID()]
  for (const id of ids) {
    const { status } = await bank.callHost('default-broker-ingress', 'POST', '/', {
      body: { ...transactionCompleted.example, user_id: randomUUID() },
      headers: {
        ...{ 'ce-specversion': '1.0', 'ce-id': id, 'ce-type': 'transaction.completed' },
        'ce-source': '/microbank/ledger',
      },
    })
    expect(status).toBe(202)
  }
  return ids
}

const GROUP = 'notify: transaction.completed'

/** Waits until two letters of the group are waiting that came back, or that have not been sent again. */
async function twoWaiting(bank: Bank, count: 'stored' | 'came_back'): Promise<void> {
  const token = await loginOperator(bank)
  const isThere = async () => {
    const { body } = await bank.call('GET', '/api/dead-letters/groups?status=stored', { token })
    return (body.items as Record<string, unknown>[]).some((group) => group[count] === 2)
  }
  await until(isThere, { timeoutMs: 240_000, everyMs: 500, what: `two letters to be ${count}` })
}

/** The beginning: a group is seen and redriven. */
export function redriving(web: () => Web): void {
  test('dead letters with one cause are one group, which is redriven at a rate and watched', async () => {
    await twoWaiting(web().bank, 'stored')
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office')
    await page.getByText('Events that wait: 2, causes: 1').waitFor()
    await page.getByRole('main').getByRole('link', { name: 'Dead letters' }).click()
    await page.getByText('transaction.completed … is not signed by the context ledger.').waitFor()
    await page.getByRole('link', { name: GROUP }).click()
    await page
      .getByText(/^transaction.completed [0-9a-f-]{36} is not signed/)
      .first()
      .waitFor()
    await page.getByLabel('How fast').selectOption('100')
    await page.getByRole('button', { name: 'Redrive all 2' }).click()
    await page.getByText('2 of 2 sent').first().waitFor()
    await page.getByText('All sent').waitFor()
    await page.getByText('No dead letter waits.').waitFor()
  })
}

/** The end: what came back is discarded. */
export function discarding(web: () => Web, poison: () => string[]): void {
  test('what failed again is marked, shows its content, and is discarded with a reason', async () => {
    await twoWaiting(web().bank, 'came_back')
    const { page, go } = await web().visit({ as: 'operator' })
    await go('/office/dead-letters')
    await page.getByText('Came back: 2').first().waitFor()
    await page.getByRole('link', { name: GROUP }).click()
    const letters = page.getByRole('list', { name: 'Dead letters' })
    for (const id of poison()) await letters.locator(`a[href="/engine/events/${id}"]`).waitFor()
    const first = letters.getByRole('listitem').first()
    await first.getByText('Given up by the Broker: 2 ×').waitFor()
    await first.getByText('Event as JSON').click()
    await first.getByText('"type": "transaction.completed"').waitFor()
    await first.getByRole('button', { name: 'Discard…' }).click()
    const reason = first.getByLabel('Why does nobody need it?')
    await reason.press('Enter')
    await reason.fill('Forged by a test.')
    await reason.press('Enter')
    await first.getByRole('button', { name: 'Discard it' }).click()
    await until(async () => (await letters.getByRole('listitem').count()) === 1, { what: 'one letter less' })
    await page.getByText('Waiting: 1').waitFor()
    await page.getByRole('link', { name: 'Discarded', exact: true }).click()
    await page.getByRole('link', { name: GROUP }).click()
    await page.getByText('Forged by a test.').waitFor()
  })
}
