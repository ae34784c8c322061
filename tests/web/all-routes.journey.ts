import type { Page, Request } from 'playwright-core'
import type { Customer } from '../support/customers.ts'
import { sidewaysPx, violations, violationsInThemes, watchWithAxe } from './support/axe.ts'
import { customerWithMoney, ready, type Visit, type Web } from './support/browser.ts'
import { addressOf, routes } from './support/routes.ts'

const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 360, height: 740 }
/** Calls of the API, each counted once, with those of the frame. */
const CALLS_MAX = 16

/** Goes to another page within the one that is open, as a link does. */
async function changeRoute(page: Page, address: string): Promise<void> {
  await page.locator('h1').evaluate((heading) => heading.setAttribute('data-left', ''))
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent('popstate'))`,
  )
  await page.locator('h1:not([data-left])').waitFor()
}

/** Every page is opened, at both widths and in both themes, by whoever it is for. */

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
    for (const { context } of windows.values()) await watchWithAxe(context)
  })

  test.each(routes)(
    '$path: it loads in few calls, axe finds nothing in either theme, and nothing is wider than the window, from 360 px',
    async ({ path, who }) => {
      const { page, go } = windows.get(who)!
      const calls = new Set<string>()
      const count = (request: Request): void => {
        const { pathname } = new URL(request.url())
        if (pathname.startsWith('/api/')) calls.add(`${request.method()} ${pathname}`)
      }
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize(WIDE)
      page.on('request', count)
      await go(addressOf(path, things))
      page.off('request', count)
      expect(calls.size).toBeLessThanOrEqual(CALLS_MAX)
      expect(await violations(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize(NARROW)
      await ready(page)
      const sideways = await sidewaysPx(page)
      expect([sideways, await violations(page)]).toEqual([0, []])
    },
  )

  test.each(['customer', 'operator'] as const)(
    'a page of a %s whose calls are all 503 has a problem that axe finds nothing in, in either theme',
    async (who) => {
      const { page, context, go } = await web().visit({ as: who === 'operator' ? who : customer })
      await watchWithAxe(context)
      await page.route(/\/api\/(?!session)/, (route) =>
        route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          // Longer than a page would try again.
          headers: { 'retry-after': '60' },
          json: { type: 'https://microbank.dev/problems/unavailable', title: 'Unavailable', status: 503 },
        }),
      )
      // The pages change in the window, which takes less time than to load each anew.
      await go('/me')
      const found: string[] = []
      for (const { path } of routes.filter((route) => route.who === who)) {
        await changeRoute(page, addressOf(path, things))
        await page.getByRole('main').getByRole('alert').first().waitFor()
        const faults = await violationsInThemes(page)
        found.push(...faults.map((fault) => `${path}, ${fault}`))
      }
      expect(found).toEqual([])
    },
  )
}
