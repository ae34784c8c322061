import { ProblemError, problems } from '../problems.ts'
import { OWN_UUID } from '../values/uuid-text.ts'

/** Query parameters of every list: `limit` from 1 to 200 (default 50), and `cursor` from the page before. */
export const pageQuery = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', minLength: 1, maxLength: 200 },
} as const

/** Returns the schema of a page of `item`s. */
export const pageOf = <const Item extends object>(item: Item) =>
  ({
    ...('title' in item && { title: `${String(item.title)}Page` }),
    type: 'object',
    additionalProperties: false,
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: item }, next_cursor: { type: ['string', 'null'] } },
  }) as const

/** Returns the id after which the page starts; undefined for the first page. Ids are UUIDv7, so their
 * order is the order in time. Throws a ProblemError (400) for a cursor that is not ours. */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const id = Buffer.from(cursor, 'base64url').toString()
  if (OWN_UUID.test(id)) return id
  throw invalidCursor()
}

/** Returns the refusal (400) of a cursor that no page of the list gave. */
export const invalidCursor = (): ProblemError =>
  new ProblemError(problems.invalidInput, 'The cursor does not come from a page of this list.', {
    errors: [{ path: '/cursor', message: 'must be the next_cursor of an earlier page' }],
  })

/** Makes one page of `rows`. They are newest first, and were read with one row more than `limit`, which tells
 * whether another page follows. */
export function page<Row extends { id: string }, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
) {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    items: rows.slice(0, limit).map(toItem),
    next_cursor: last ? Buffer.from(last.id).toString('base64url') : null,
  }
}
