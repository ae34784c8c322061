import type { CatalogueEntry, StreamKind } from '../host/catalogue-entry.ts'
import { createPathTable } from '../host/http/path-table.ts'

export interface RouteTarget {
  /** The name of the function and of its Service. */
  service: string
  method: string
  /** The path as declared. */
  path: string
  /** The values in the body that choose this function among those with the same method and path. */
  when: Readonly<Record<string, string>> | undefined
  /** Set if the answer may come piece by piece. */
  streams: StreamKind | undefined
  /** Largest body in bytes, if the function reads it while it comes. */
  streamedBodyBytesMax: number | undefined
}

export type Routing =
  | { kind: 'found'; targets: RouteTarget[] }
  | { kind: 'wrong-method'; allow: string[] }
  | { kind: 'unknown' }

export type FindRoute = (method: string, path: string) => Routing

/** Returns a lookup of the functions for a method and a path (without /api), by what the operations
 * declare. */
export function createRouting(catalogue: readonly CatalogueEntry[]): FindRoute {
  const paths = new Map<string, RouteTarget[]>()
  for (const { name, routes } of catalogue) {
    for (const { method, path, when, streams, streamedBodyBytesMax } of routes) {
      const target = { service: name, method, path, when, streams, streamedBodyBytesMax }
      paths.set(path, [...(paths.get(path) ?? []), target])
    }
  }
  const find = createPathTable(paths)

  return (method, path) => {
    const here = find(path)?.target
    if (!here) return { kind: 'unknown' }
    const asked = method === 'HEAD' ? 'GET' : method
    const targets = here.filter((target) => target.method === asked)
    if (targets.length > 0) return { kind: 'found', targets }
    return { kind: 'wrong-method', allow: [...new Set(here.map((target) => target.method))] }
  }
}

/** Returns the target that the body chooses; undefined if none matches. */
export function choose(targets: readonly RouteTarget[], body: unknown): RouteTarget | undefined {
  const values = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  return targets.find(({ when = {} }) =>
    Object.entries(when).every(([name, value]) => values[name] === value),
  )
}
