import { apiVersionOf, type ResourceType } from './resource-types.ts'
import type { IncomingMessage } from 'node:http'
import type { StoredObject, Snapshot } from './store.ts'
import { type Included, tableOf } from './table.ts'

/** The form in which objects are answered: as they are, or as rows of a table. */
export interface Form {
  one(object: StoredObject, snapshot: Pick<Snapshot, 'resourceVersion'>): object
  list(objects: readonly StoredObject[], snapshot: Pick<Snapshot, 'resourceVersion'>): object
}

export function formOf(type: ResourceType, { headers }: IncomingMessage, query: URLSearchParams): Form {
  // A client lists the types that it can read, the preferred one first. One that wants a table names it
  // first.
  const wantsTable = /^application\/json;[^,]*\bas=Table\b/.test(headers.accept ?? '')
  if (!wantsTable) return plainForm(type)
  const asked = query.get('includeObject')
  const included: Included = asked === 'None' || asked === 'Object' ? asked : 'Metadata'
  const list: Form['list'] = (objects, { resourceVersion }) =>
    tableOf(type, objects, { now: new Date(), included, resourceVersion })
  return { list, one: (object, snapshot) => list([object], snapshot) }
}

export const plainForm = (type: ResourceType): Form => ({
  one: (object) => object,
  list: (items, { resourceVersion }) => ({
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type),
    metadata: { resourceVersion },
    items,
  }),
})
