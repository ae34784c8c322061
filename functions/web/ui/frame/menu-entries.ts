import { routes } from '../routes.ts'
import type { MenuName } from './menu.texts.ts'

interface MenuEntry {
  path: string
  menu: MenuName
}

/** How many entries the bar at the bottom of small windows has. */
const BAR = 4

/** The pages that the menu leads to, in their order. */
export const menuEntries: readonly MenuEntry[] = routes.flatMap(({ path, menu }) =>
  menu ? [{ path, menu }] : [],
)

/** Those in the bar at the bottom. The user's menu has the rest there. */
export const barEntries = menuEntries.slice(0, BAR)
export const otherEntries = menuEntries.slice(BAR)
