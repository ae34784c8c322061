import type { AnyRoute } from '../operation.ts'
import type { RouteRequest } from '../route-request.ts'
import type { Schema } from '../schema.ts'

type GivenFields = Pick<RouteRequest<unknown, unknown, unknown>, 'body' | 'query' | 'params'>

/** Returns what was asked: the fields of path, query and body, without `id` (which is the subject) and the
 * cursor. It is small, and can be kept for ever:
 * - a field marked `x-secret` is left out;
 * - of a field marked `x-personal`, and of lists and objects, there is only the name;
 * - texts are cut. */
export function detailsOf(
  route: AnyRoute,
  { body, query, params }: GivenFields,
): Record<string, unknown> | null {
  const details = {
    ...recordable(params, route.params),
    ...recordable(query, route.query),
    ...recordable(body, route.body),
  }
  delete details.id
  delete details.cursor
  return Object.keys(details).length > 0 ? details : null
}

/** Stands for a value that is not recorded. */
const NOT_KEPT = '(given)'
const TEXT_MAX = 200

type Marked = Record<string, { 'x-secret'?: true; 'x-personal'?: true }>

function recordable(given: unknown, schema: Schema | undefined): Record<string, unknown> {
  const { properties = {} } = (schema ?? {}) as { properties?: Marked }
  const fields = Object.entries((given ?? {}) as object) as [string, unknown][]
  return Object.fromEntries(
    fields.flatMap(([name, value]) => {
      const declared = properties[name]
      if (!declared || declared['x-secret'] || value === undefined) return []
      return [[name, declared['x-personal'] ? NOT_KEPT : short(value)]]
    }),
  )
}

function short(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = storable(value)
    return text.length > TEXT_MAX ? storable(`${text.slice(0, TEXT_MAX)}…`) : text
  }
  return typeof value === 'object' && value !== null ? NOT_KEPT : value
}

/** Makes text that Postgres can store: it takes neither NUL nor half a surrogate pair. */
export const storable = (text: string): string => text.replace(/\0|\p{Cs}/gu, '\uFFFD')
