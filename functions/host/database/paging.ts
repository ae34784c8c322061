import { ProblemError, problems } from '../problems.ts'

/** Query properties of every list: `limit` 1..200 (50 when left out) and the `cursor` of the page before. */
export const pageQuery = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', minLength: 1, maxLength: 200 },
} as const

/** Schema of a page of `item`s. */
export const pageOf = <const Item>(item: Item) =>
  ({
    type: 'object',
    additionalProperties: false,
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items: item }, next_cursor: { type: ['string', 'null'] } },
  }) as const

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The id after which the page goes on (ids are UUIDv7, so their order is that of time), or undefined for the
 * first page. A cursor that did not come from us is refused as invalid input. */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const id = Buffer.from(cursor, 'base64url').toString()
  if (UUID.test(id)) return id
  throw invalidCursor()
}

/** The refusal (400) of a cursor that no page of the list gave. */
export const invalidCursor = (): ProblemError =>
  new ProblemError(problems.invalidInput, 'The cursor is not one that a page of this list gave.', {
    errors: [{ path: '/cursor', message: 'must be the next_cursor of an earlier page' }],
  })

/** One page of `rows`, newest first, that were read with one more than `limit`. */
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
