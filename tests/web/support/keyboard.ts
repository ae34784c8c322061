import type { Locator, Page } from 'playwright-core'
import { until } from '../../support/until.ts'

/** More than any page has. */
const STOPS_MAX = 150

/** Whether an element has the focus. */
export const hasFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => element === element.ownerDocument.activeElement)

/** Somebody at a page without a mouse. */
export interface Typist {
  /** Goes on with Tab until a control has the focus. Throws if Tab never gets there. */
  reach(target: Locator): Promise<void>
  /** Reaches a link or a button, and presses it. */
  press(target: Locator): Promise<void>
  /** Reaches a field, and types over what is in it. */
  type(target: Locator, text: string): Promise<void>
  /** Reaches a choice or a group of radio buttons, and goes down by arrow until it has a value. */
  choose(target: Locator, value: string): Promise<void>
}

export function typistAt(page: Page): Typist {
  const { keyboard } = page
  const reach = async (target: Locator): Promise<void> => {
    await target.waitFor()
    for (let stops = 0; !(await hasFocus(target)); stops++) {
      if (stops > STOPS_MAX) throw new Error(`Tab does not get to ${String(target)}`)
      await keyboard.press('Tab')
    }
  }
  return {
    reach,
    async press(target) {
      await reach(target)
      // A disabled button has the focus, too, and does nothing.
      await until(() => target.isEnabled(), { what: 'what is to be pressed to be enabled' })
      await keyboard.press('Enter')
    },
    async type(target, text) {
      await reach(target)
      await keyboard.press('Control+A')
      await keyboard.type(text)
    },
    async choose(target, value) {
      await reach(target)
      const chosen = page.locator(':focus')
      await keyboard.press('Home')
      for (let steps = 0; (await chosen.inputValue()) !== value; steps++) {
        if (steps > STOPS_MAX) throw new Error(`the arrows do not get to ${value}`)
        await keyboard.press('ArrowDown')
      }
    },
  }
}
