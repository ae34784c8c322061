import type { Page, Request } from 'playwright-core'
import type { Customer } from '../support/customers.ts'
import { until } from '../support/until.ts'
import { sidewaysPx, violations, violationsInThemes, watchWithAxe } from './support/axe.ts'
import { customerWithMoney, ready, type Visit, type Web } from './support/browser.ts'
import { addressOf, routes } from './support/routes.ts'
import { hasBeenSlow, shiftsOf, sumOfShifts, watchShifts } from './support/shifts.ts'

const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 360, height: 740 }
/** Calls of the API, each counted once, with those of the frame. */
const CALLS_MAX = 16
/** How much may move while a page loads, as Cumulative Layout Shift counts it. */
const SHIFT_MAX = 0.02
/** What the customer of these pages calls everything. A page that took it for more than text would run it,
 * which its policy forbids, and leave() throws. It fits into a line at 360 px. */
const HOSTILE = `<img src=x onerror=1>${'\u05d0'}`
/** Pages that show it, whatever else they show. */
const SHOWING = ['/', '/accounts/:id', '/transactions/:id', '/orders', '/office/customers/:id']

/** Goes to another page within the one that is open, as a link does. */
async function changeRoute(page: Page, address: string): Promise<void> {
  await page.locator('h1').evaluate((heading) => heading.setAttribute('data-left', ''))
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent('popstate'))`,
  )
  await page.locator('h1:not([data-left])').waitFor()
}

/** Ten pages with all that pages hold: lists, forms, charts, streams, and what is asked again and again. */
const WALKED = [
  ...['/', '/accounts/:id', '/move', '/notifications', '/office', '/office/ledger'],
  ...['/engine', '/engine/events', '/engine/cold-starts', '/engine/metrics'],
]
/** How much more a browser may hold after a hundred of them than after ten. A page that is kept whole each
 * time would make it many times as much. */
const HELD_MAX = 1.5

/** All that a page can keep in a browser beyond its cookies. */
const KEPT = `(async () => ({
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: await indexedDB.databases(),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
}))()`

/** Where a page shows what the customer has written. Text in Hebrew must not turn what stands beside it. */
const written = (page: Page): Promise<{ shown: number; loose: string[] }> =>
  page.evaluate(`{
    const all = [...document.body.querySelectorAll('*')].filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.data.includes('onerror=')))
    const loose = all.filter((element) => !element.closest('[dir], bdi, option, textarea, code'))
    ;({ shown: all.length, loose: loose.map((element) => element.outerHTML) })
  }`)

/** Every page is opened, at both widths and in both themes, by whoever it is for. */

export function allRoutes(web: () => Web): void {
  let things: Record<string, string>
  let customer: Customer
  // A window for each kind of reader: signing in and an empty cache take longer than the pages.
  const windows = new Map<string, Visit>()
  beforeAll(async () => {
    const made = await customerWithMoney(web().bank, HOSTILE)
    const { checking, savings, transfer, event } = made
    customer = made.customer
    const { bank } = customer
    await bank.patch('/api/users/{id}', { params: { id: customer.id }, body: { name: HOSTILE } })
    await bank.patch('/api/accounts/{id}', { params: { id: checking }, body: { name: HOSTILE } })
    await bank.post('/api/orders', {
      body: {
        ...{ account_id: checking, to_account_id: savings, amount: '5.00', currency: 'USD' },
        ...{ description: HOSTILE, schedule: { every: 'month', on: 31 } },
      },
    })
    // Of what never happens, so nothing is posted to it.
    const url = 'http://127.0.0.1:9/hook'
    await bank.post('/api/webhooks', { body: { url, types: ['document.deleted'] } })
    things = { accounts: checking, transactions: transfer, transfers: transfer, events: event }
    things.customers = customer.id
    windows.set('anyone', await web().stay())
    windows.set('customer', await web().stay({ as: customer }))
    windows.set('operator', await web().stay({ as: 'operator' }))
    for (const { context } of windows.values()) {
      await watchWithAxe(context)
      await watchShifts(context)
    }
  })

  test.each(routes)(
    '$path: it loads in few calls, and nothing moves; axe finds nothing in either theme, nothing is wider than the window, from 360 px, and what customers wrote stays text',
    async ({ path, who }) => {
      const { page, go } = windows.get(who)!
      const calls = new Set<string>()
      const count = (request: Request): void => {
        const { pathname } = new URL(request.url())
        if (pathname.startsWith('/api/')) calls.add(`${request.method()} ${pathname}`)
      }
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize(NARROW)
      page.on('request', count)
      const shifts = await until(
        async () => {
          calls.clear()
          await go(addressOf(path, things))
          return (await hasBeenSlow(page)) ? undefined : shiftsOf(page)
        },
        { what: 'the page to be there within three seconds' },
      )
      page.off('request', count)
      expect(calls.size).toBeLessThanOrEqual(CALLS_MAX)
      expect([sumOfShifts(shifts) <= SHIFT_MAX, shifts]).toEqual([true, shifts])
      const sideways = await sidewaysPx(page)
      expect([sideways, await violations(page)]).toEqual([0, []])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize(WIDE)
      await ready(page)
      expect(await violations(page)).toEqual([])
      const { shown, loose } = await written(page)
      expect([loose, shown > 0 || !SHOWING.includes(path)]).toEqual([[], true])
    },
  )

  test('the browser keeps nothing of what the pages showed', async () => {
    for (const [who, { page, go }] of windows) {
      await go('/')
      expect([who, await page.evaluate(KEPT)]).toEqual([
        who,
        { local: [], session: [], databases: [], caches: [], workers: 0 },
      ])
    }
  })

  test('after a hundred changes of the page, the browser holds hardly more than after ten', async () => {
    const { page, context, go } = await web().visit({ as: 'operator' })
    const devtools = await context.newCDPSession(page)
    const walk = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++)
        for (const path of WALKED) {
          await changeRoute(page, addressOf(path, things))
          await ready(page)
        }
    }
    const held = async () => {
      // A heap is counted at the same page, whose own data is in it both times.
      for (let times = 0; times < 2; times++) await devtools.send('HeapProfiler.collectGarbage')
      const { usedSize } = await devtools.send('Runtime.getHeapUsage')
      const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters')
      return { bytes: usedSize, nodes, listeners: jsEventListeners }
    }
    await go('/me')
    await walk(1)
    const after10 = await held()
    await walk(9)
    const after100 = await held()
    const ratios = Object.entries(after10).map(([what, count]) => [
      what,
      after100[what as keyof typeof after10] / count,
    ])
    expect(ratios.filter(([, ratio]) => Number(ratio) > HELD_MAX)).toEqual([])
  })

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
