import type { Page, Route } from 'playwright-core'
import { until } from '../../support/until.ts'
import { ready } from '../support/browser.ts'

/** A state of any page, besides full and empty. */
export interface State {
  /** Whether a page, by its path in routes.ts, can be in it. */
  fits(path: string): boolean
  /** Shows an address in this state, in a tab of its own. */
  show(page: Page, url: string): Promise<void>
}

/** All calls but those of the session: without it there is no page. */
const CALLS = /\/api\/(?!session(?!s))/

/** Nothing has it. */
const NOBODY = '01999999-9999-7999-8999-999999999999'

const always = (): boolean => true

/** Answers all calls with one problem. */
const refusing = (status: number, type: string, retryAfter?: number): State => ({
  fits: always,
  async show(page, url) {
    await page.route(CALLS, (route) =>
      route.fulfill({
        status,
        contentType: 'application/problem+json',
        headers: {
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          ...(retryAfter && { 'retry-after': String(retryAfter) }),
        },
        json: { type: `https://microbank.dev/problems/${type}`, title: type, status },
      }),
    )
    await page.goto(url)
    await ready(page)
  },
})

export const states: Readonly<Record<string, State>> = {
  loading: {
    fits: always,
    async show(page, url) {
      // No answer ever comes.
      const held: Route[] = []
      await page.route(CALLS, (route) => void held.push(route))
      await page.goto(url)
      await page.locator('h1').waitFor()
      if (held.length === 0) return
      // A page that asks for nothing at first has no skeleton.
      const starting = page.locator('[data-state=starting], [data-state=slow]').first()
      await starting.waitFor({ timeout: 2_000 }).catch(() => undefined)
    },
  },
  // Longer than a page would try again by itself.
  unavailable: refusing(503, 'unavailable', 60),
  broken: refusing(500, 'internal-error'),
  'too-many': refusing(429, 'too-many-requests', 42),
  offline: {
    fits: always,
    async show(page, url) {
      await page.goto(url)
      await ready(page)
      await page.context().setOffline(true)
      await until(async () => page.evaluate<boolean>('!navigator.onLine'), { what: 'the page to be offline' })
      await page.getByText(/^Offline\. /).waitFor()
    },
  },
  unknown: {
    fits: (path) => path.includes(':'),
    async show(page, url) {
      await page.goto(url.replace(/[^/]+(?=(\/statement)?$)/, NOBODY))
      await ready(page)
    },
  },
}
