import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { read } from '../support/repository.ts'
import { customerWithMoney, ready, type Visit, type Web } from './support/browser.ts'

/** Every page is opened, at both widths and in both themes, by whoever it is for. */

const routes = [
  ...read('functions/web/ui/routes.ts').matchAll(/path: '([^']+)',\s*who: '(anyone|customer|operator)'/g),
].map(([, path, who]) => ({ path: path!, who: who! }))

/** Fills in the parameters of a path by what the bank has: `/accounts/:id` gets one of the customer's
 * accounts. */
const addressOf = (path: string, things: Record<string, string>): string =>
  path.replace(/\/([^/]+)\/:\w+/g, (_all, noun: string) => {
    const id = things[noun]
    if (!id) throw new Error(`tests/web/all-routes.journey.ts knows no ${noun} for ${path}`)
    return `/${noun}/${id}`
  })

async function violations(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  )
}

const sidewaysPx = (page: Page): Promise<number> =>
  page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)

export function allRoutes(web: () => Web): void {
  let things: Record<string, string>
  // A window for each kind of reader: signing in and an empty cache take longer than the pages.
  const windows = new Map<string, Visit>()
  beforeAll(async () => {
    const { customer, checking, transfer, event } = await customerWithMoney(web().bank)
    things = { accounts: checking, transactions: transfer, transfers: transfer, events: event }
    things.customers = customer.id
    windows.set('anyone', await web().stay())
    windows.set('customer', await web().stay({ as: customer }))
    windows.set('operator', await web().stay({ as: 'operator' }))
    for (const { context } of windows.values()) await context.addInitScript({ content: axe.source })
  })

  test.each(routes)(
    '$path: axe finds nothing in either theme, and nothing is wider than the window, from 360 px',
    async ({ path, who }) => {
      const { page, go } = windows.get(who)!
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize({ width: 1280, height: 800 })
      await go(addressOf(path, things))
      expect(await violations(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 360, height: 740 })
      await ready(page)
      expect([await sidewaysPx(page), await violations(page)]).toEqual([0, []])
    },
  )
}
