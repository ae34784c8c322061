import type { CatalogueEntry } from './catalogue-entry.ts'
import type { Operation } from './operation.ts'

/** Lists the operations that have routes. */
export function catalogueOf(operations: readonly Operation[]): CatalogueEntry[] {
  return operations
    .filter((operation) => operation.routes !== undefined)
    .map(({ name, context, routes = [] }) => ({
      name,
      context,
      routes: routes.map(({ method, path, when, streams, streamedBodyBytesMax, onBehalf }) => ({
        ...{ method, path },
        ...(when && { when }),
        ...(streams && { streams }),
        ...(streamedBodyBytesMax !== undefined && { streamedBodyBytesMax }),
        ...(onBehalf && { onBehalf }),
      })),
    }))
}
