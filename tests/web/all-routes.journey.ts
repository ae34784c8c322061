import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { Customer } from '../support/customers.ts'
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

async function violations(page: Page, rules?: string[]): Promise<string[]> {
  const { violations } = await page.evaluate(
    (only) => (globalThis as unknown as { axe: typeof axe }).axe.run(only ? { runOnly: only } : {}),
    rules,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  )
}

const sidewaysPx = (page: Page): Promise<number> =>
  page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)

export function allRoutes(web: () => Web): void {
  let things: Record<string, string>
  let customer: Customer
  // A window for each kind of reader: signing in and an empty cache take longer than the pages.
  const windows = new Map<string, Visit>()
  beforeAll(async () => {
    const made = await customerWithMoney(web().bank)
    const { checking, transfer, event } = made
    customer = made.customer
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

  test.each(['customer', 'operator'] as const)(
    'a page of a %s whose calls all fail has a problem that axe finds nothing in, in either theme',
    async (who) => {
      const { page, go } = await web().visit({ as: who === 'operator' ? who : customer })
      await page.route(/\/api\/(?!session)/, (route) =>
        route.fulfill({ status: 500, contentType: 'application/problem+json', json: { title: 'Broken' } }),
      )
      // The pages change in the window, which takes less time than to load each anew.
      await go('/me')
      await page.evaluate(axe.source)
      const found: string[] = []
      for (const { path } of routes.filter((route) => route.who === who)) {
        await page.locator('h1').evaluate((heading) => heading.setAttribute('data-left', ''))
        const address = JSON.stringify(addressOf(path, things))
        await page.evaluate(
          `history.pushState(null, '', ${address}); dispatchEvent(new PopStateEvent('popstate'))`,
        )
        await page.locator('h1:not([data-left])').waitFor()
        await page.getByRole('main').getByRole('alert').first().waitFor()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          // The other theme has other colours, and nothing else.
          const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined
          const faults = await violations(page, rules)
          found.push(...faults.map((fault) => `${path}, ${colorScheme}: ${fault}`))
        }
      }
      expect(found).toEqual([])
    },
  )
}
