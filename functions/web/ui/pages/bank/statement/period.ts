import type { StatementAsked } from '../../../data/statements.ts'

/** The days of a statement, 'YYYY-MM-DD' in UTC, as the bank's books have them. Both belong to it. */
export interface Period {
  from: string
  to: string
}

export interface ShownStatement extends Period {
  basis: StatementAsked['basis']
}

const day = (year: number, month: number, date: number): string =>
  new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10)

export const todayOf = (now: Date): string => now.toISOString().slice(0, 10)

/** Returns the periods that people usually want. */
export function usualPeriods(now: Date): Record<'thisMonth' | 'lastMonth' | 'lastYear', Period> {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
  return {
    thisMonth: { from: day(year, month, 1), to: todayOf(now) },
    lastMonth: { from: day(year, month - 1, 1), to: day(year, month, 0) },
    lastYear: { from: day(year - 1, 0, 1), to: day(year, 0, 0) },
  }
}

const isDay = (text: string | null): text is string => {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

/** Reads what to show from an address; without days, this month. */
export function readStatement(search: URLSearchParams, now: Date): ShownStatement {
  const usual = usualPeriods(now).thisMonth
  const [from, to] = [search.get('from'), search.get('to')]
  return {
    from: isDay(from) ? from : usual.from,
    to: isDay(to) ? to : usual.to,
    basis: search.get('basis') === 'value' ? 'value' : 'booking',
  }
}

/** Returns what to ask the bank for. It refuses to say what will be booked, so a period that is not over goes
 * on until now. Money may count from a day to come. */
export function askedOf(shown: ShownStatement, now: Date): StatementAsked {
  const { from, basis } = shown
  return { from, basis, ...((hasEnded(shown, now) || basis === 'value') && { to: dayAfter(shown.to) }) }
}

/** Returns the day after a day: where a period ends for the bank. */
export function dayAfter(text: string): string {
  const [year, month, date] = text.split('-').map(Number)
  return day(year!, month! - 1, date! + 1)
}

/** Says whether a period is over, so that nothing can be booked into it any more. */
export const hasEnded = ({ to }: Period, now: Date): boolean => to < todayOf(now)
