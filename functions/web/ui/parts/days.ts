import { shownZone } from '../texts/zone.ts'

/** Days as inputs of type date have them: 'YYYY-MM-DD', in the zone that the reader chose. */

const DAY = /^\d{4}-\d\d-\d\d$/

/** Says whether a text of the address is a day that exists. */
export const isDay = (text: string | null): text is string =>
  text !== null && DAY.test(text) && toDay(startOf(text)) === text

/** Returns when a day begins here. */
const startOf = (day: string): Date => new Date(`${day}T00:00:00${shownZone() === 'utc' ? 'Z' : ''}`)

/** Returns when a day begins, and when the next one does: they may be 23 or 25 hours apart. */
export function boundsOf(day: string): { begin: Date; end: Date } {
  const [begin, end] = [startOf(day), startOf(day)]
  if (shownZone() === 'utc') end.setUTCDate(end.getUTCDate() + 1)
  else end.setDate(end.getDate() + 1)
  return { begin, end }
}

/** Returns the moment at which a page is drawn. What it shows of today is right until it is drawn again. */
export const drawnAt = (): Date => new Date()

/** Returns the day of a moment. */
export function toDay(at: Date): string {
  if (Number.isNaN(at.getTime())) return ''
  if (shownZone() === 'utc') return at.toISOString().slice(0, 10)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** Groups what is in the order of time by day. */
export function byDay<Item>(
  items: readonly Item[],
  timeOf: (item: Item) => string,
): { day: string; items: Item[] }[] {
  const groups: { day: string; items: Item[] }[] = []
  for (const item of items) {
    const day = toDay(new Date(timeOf(item)))
    const last = groups.at(-1)
    if (last?.day === day) last.items.push(item)
    else groups.push({ day, items: [item] })
  }
  return groups
}
