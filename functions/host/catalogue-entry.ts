import type { Context } from '../contexts.ts'

/** Where a route is found. */
export interface RouteAddress {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path behind `/api`, with parameters in braces: `/accounts/{id}`. */
  path: string
  /** Where several operations share method and path: the body's values that choose this one. */
  when?: Readonly<Record<string, string>>
}

/** What the front door has to know of an operation, in plain JSON. */
export interface CatalogueEntry {
  name: string
  context: Context
  routes: RouteAddress[]
}
