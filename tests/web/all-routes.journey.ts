import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { read } from '../support/repository.ts'
import { customerWithMoney, ready, type Web } from './support/browser.ts'

/** Every page is opened, at both widths and in both themes. Pages that only operators see need one. */

const routes = [
  ...read('functions/web/ui/routes.ts').matchAll(/path: '([^']+)',\s*who: '(anyone|customer|operator)'/g),
].map(([, path, who]) => ({ path: path!, who: who! }))

/** Fills in the parameters of a path by what the customer has: `/accounts/:id` gets one of their accounts. */
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
  let things: Awaited<ReturnType<typeof customerWithMoney>>
  beforeAll(async () => {
    things = await customerWithMoney(web().bank)
  })

  test.each(routes.filter(({ who }) => who !== 'operator'))(
    '$path: axe finds nothing in either theme, and nothing is wider than the window, from 360 px',
    async ({ path, who }) => {
      const { customer, checking, transfer } = things
      const { page, context, go } = await web().visit(who === 'anyone' ? {} : { as: customer })
      await context.addInitScript({ content: axe.source })
      await go(addressOf(path, { accounts: checking, transactions: transfer }))
      expect(await violations(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 360, height: 740 })
      await ready(page)
      expect([await sidewaysPx(page), await violations(page)]).toEqual([0, []])
    },
  )
}
