import { routes } from '../routes.ts'
import type { MenuName } from './menu.texts.ts'

const AREAS = ['bank', 'office', 'engine'] as const

/** A part of the bank's pages, by the first segment of their paths; without one of these, the Bank's. */
export type AreaName = (typeof AREAS)[number]

interface MenuEntry {
  path: string
  menu: MenuName
}

export interface Area {
  name: AreaName
  /** The pages that its menu leads to, in their order. There is at least one. */
  entries: readonly MenuEntry[]
}

const nameOf = (path: string): AreaName =>
  AREAS.find((name) => path === `/${name}` || path.startsWith(`/${name}/`)) ?? 'bank'

/** The areas that have pages. Only operators see more than the first. */
export const areas: readonly Area[] = AREAS.flatMap((name) => {
  const entries = routes.flatMap(({ path, menu }) => (menu && nameOf(path) === name ? [{ path, menu }] : []))
  return entries.length > 0 ? [{ name, entries }] : []
})

/** Returns the entry of a menu that a page belongs to; undefined if to none. */
export const entryOf = ([first, ...others]: readonly MenuEntry[], path: string): MenuEntry | undefined =>
  // All paths of an area begin with its first. The Bank's lists the accounts.
  path === first?.path || (first?.path === '/' && path.startsWith('/accounts/'))
    ? first
    : others.find((entry) => path === entry.path || path.startsWith(`${entry.path}/`))

/** Returns the area that a path belongs to, for who may see it. */
export const areaOf = (path: string, role: 'customer' | 'operator' | undefined): Area =>
  (role === 'operator' && areas.find(({ name }) => name === nameOf(path))) || areas[0]!
