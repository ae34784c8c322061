import { YEAR_MAX } from '../../host/moment.ts'

export { invalidQuery, momentSchema, readMoment } from '../../host/moment.ts'

/** Says whether the text is a moment as toISOString() writes it, and one that Postgres can read. JavaScript
 * takes 31 February for 3 March, and has a year 0; Postgres refuses both. */
export function isMoment(text: string): boolean {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  return year >= 1 && year <= YEAR_MAX && moment.toISOString() === text
}
