import axe from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'

/** Lets violations() look at each page that a window opens. */
export async function watchWithAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript({ content: axe.source })
}

/** Returns what axe finds in a page: by all of its rules, or by some. The window must have been given to
 * watchWithAxe() before it opened the page. */
export async function violations(page: Page, rules?: string[]): Promise<string[]> {
  const { violations } = await page.evaluate(
    (only) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        ...(only && { runOnly: only }),
        // All rules run. But of what is in order, only the first example is described, which takes much time.
        resultTypes: ['violations'],
      }),
    rules,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  )
}

/** The same in both themes. The other theme has other colours, and nothing else. */
export async function violationsInThemes(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const faults = await violations(page, colorScheme === 'dark' ? ['color-contrast'] : undefined)
    found.push(...faults.map((fault) => `${colorScheme}: ${fault}`))
  }
  return found
}

/** How much wider than its window a page is. */
export const sidewaysPx = (page: Page): Promise<number> =>
  page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
