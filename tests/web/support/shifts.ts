import type { BrowserContext, Page } from 'playwright-core'

/** Lets shiftsOf() tell what has moved in each page that a window opens. */
export async function watchShifts(context: BrowserContext): Promise<void> {
  await context.addInitScript(`{
    const look = ({ node, previousRect, currentRect }) =>
      (node?.outerHTML ?? node?.textContent ?? '').slice(0, 80) +
      ' from ' + previousRect.top + ' to ' + currentRect.top
    const shifts = []
    const take = (entries) => {
      for (const { value, hadRecentInput, sources } of entries)
        if (!hadRecentInput) shifts.push({ value, moved: sources.map(look) })
    }
    const observer = new PerformanceObserver((list) => take(list.getEntries()))
    observer.observe({ type: 'layout-shift', buffered: true })
    globalThis.shiftsNow = () => {
      take(observer.takeRecords())
      return shifts
    }
    globalThis.wasSlow = false
    new MutationObserver(() => {
      if (document.querySelector('[data-state=slow]')) globalThis.wasSlow = true
    }).observe(document, { subtree: true, attributeFilter: ['data-state'] })
  }`)
}

/** What moved without anybody's doing: how far, as CLS counts it, and the elements. */
export interface Shift {
  value: number
  moved: string[]
}

/** Returns whether a page has waited so long that it showed what stands below, which moved after that. Cold
 * starts make it wait, and a machine that does much else. */
export const hasBeenSlow = (page: Page): Promise<boolean> => page.evaluate<boolean>('wasSlow')

/** Returns all that has moved since a page was opened. */
export async function shiftsOf(page: Page): Promise<Shift[]> {
  // What is drawn next is in it, too.
  await page.evaluate(`new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))`)
  return page.evaluate<Shift[]>('shiftsNow()')
}

/** The sum of it. CLS takes the worst five seconds, which is the same unless a page takes longer. */
export const sumOfShifts = (shifts: readonly Shift[]): number =>
  shifts.reduce((sum, { value }) => sum + value, 0)
