import type { AnyRoute, Context, Operation } from './operation.ts'

/** What the front door has to know of an operation, in plain JSON. */
export interface CatalogueEntry {
  name: string
  context: Context
  routes: Pick<AnyRoute, 'method' | 'path' | 'when'>[]
}

/** The operations that have routes. */
export function catalogueOf(operations: readonly Operation[]): CatalogueEntry[] {
  return operations
    .filter((operation) => operation.routes !== undefined)
    .map(({ name, context, routes = [] }) => ({
      name,
      context,
      routes: routes.map(({ method, path, when }) => ({ method, path, ...(when && { when }) })),
    }))
}
