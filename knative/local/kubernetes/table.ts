import type { StoredObject } from './store.ts'
import type { Column, ResourceType } from './resource-types.ts'

/** How much of each object is in its row: the request's `includeObject`. */
export type Included = 'None' | 'Metadata' | 'Object'

const NAME: Column = { name: 'Name', type: 'string', value: ({ metadata }) => metadata.name }

/** The table that `kubectl get` prints. The server chooses the columns. */
export function tableOf(
  { columns }: ResourceType,
  objects: readonly StoredObject[],
  { now, included, resourceVersion }: { now: Date; included: Included; resourceVersion: string },
): object {
  const all = [NAME, ...columns]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: all.map((column) => ({
      name: column.name,
      // A client gets an age as text, so a date is a string for it.
      type: column.type === 'date' ? 'string' : column.type,
      format: column === NAME ? 'name' : '',
      description: '',
      priority: column.priority ?? 0,
    })),
    rows: objects.map((object) => ({
      cells: all.map((column) => cell(column, object, now)),
      ...(included !== 'None' && { object: included === 'Object' ? object : partial(object) }),
    })),
  }
}

const partial = ({ metadata }: StoredObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
})

function cell({ type, value }: Column, object: StoredObject, now: Date): unknown {
  const found = value(object)
  if (found === undefined) return null
  return type === 'date' ? age(now.getTime() - Date.parse(String(found))) : found
}

const SECOND = { name: 's', ms: 1000 }
const MINUTE = { name: 'm', ms: 60_000 }
const HOUR = { name: 'h', ms: 3_600_000 }
const DAY = { name: 'd', ms: 86_400_000 }

/** Units shown, by age. */
const AGES = [
  { belowMs: 2 * MINUTE.ms, units: [SECOND] },
  { belowMs: 10 * MINUTE.ms, units: [MINUTE, SECOND] },
  { belowMs: 3 * HOUR.ms, units: [MINUTE] },
  { belowMs: 8 * HOUR.ms, units: [HOUR, MINUTE] },
  { belowMs: 2 * DAY.ms, units: [HOUR] },
  { belowMs: 8 * DAY.ms, units: [DAY, HOUR] },
  { belowMs: Infinity, units: [DAY] },
]

/** An age as Kubernetes writes it: `95s`, `7m12s`, `45m`, `3h4m`, `12d`. */
export function age(ms: number): string {
  let rest = Math.max(0, ms)
  const { units } = AGES.find(({ belowMs }) => rest < belowMs)!
  const parts = units.map((unit, i) => {
    const count = Math.floor(rest / unit.ms)
    rest -= count * unit.ms
    return i > 0 && count === 0 ? '' : `${count}${unit.name}`
  })
  return parts.join('')
}
