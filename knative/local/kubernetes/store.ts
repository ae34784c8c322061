import type { KubernetesObject, Metadata, ReadObjects } from './object.ts'

/** An object with its version. A client compares versions to see whether the object changed. */
export type StoredObject = KubernetesObject & { metadata: Metadata & { resourceVersion: string } }

/** An object before and after a change. A new one has no `before`, a removed one no `after`. */
export interface Change {
  resourceVersion: number
  before: StoredObject | undefined
  after: StoredObject | undefined
}

export interface Snapshot {
  /** The version of the newest change. */
  resourceVersion: string
  objects: StoredObject[]
  /** The last changes, oldest first. */
  changes: readonly Change[]
  /** Every change after this version is in `changes`. */
  knownSince: number
}

/** A watch may start at most this many changes back; older clients must list again. */
const CHANGES_MAX = 1000

/**
 * Returns a function that reads all objects. An object gets a new resourceVersion whenever it differs from
 * the last time that it was read. Versions start with the time in ms, so that those of an earlier run are
 * older.
 */
export function createStore(read: ReadObjects, startedAt: Date): () => Promise<Snapshot> {
  let version = startedAt.getTime()
  let knownSince = version
  let known = new Map<string, { text: string; stored: StoredObject }>()
  let changes: Change[] = []
  let reading: Promise<Snapshot> | undefined

  const change = (
    before: StoredObject | undefined,
    object: KubernetesObject | undefined,
  ): StoredObject | undefined => {
    const resourceVersion = ++version
    const after = object && versioned(object, resourceVersion)
    changes.push({ resourceVersion, before, after })
    return after
  }
  const readAll = async (): Promise<Snapshot> => {
    const next: typeof known = new Map()
    // A copy, because the content of a snapshot must not change.
    changes = [...changes]
    for (const object of await read()) {
      // An object in two versions of its kind has only one uid.
      const key = `${object.apiVersion} ${object.metadata.uid}`
      const text = JSON.stringify(object)
      const before = known.get(key)
      next.set(key, before?.text === text ? before : { text, stored: change(before?.stored, object)! })
    }
    for (const [key, { stored }] of known) if (!next.has(key)) change(stored, undefined)
    known = next
    for (const { resourceVersion } of changes.splice(0, changes.length - CHANGES_MAX))
      knownSince = resourceVersion
    const objects = [...known.values()].map(({ stored }) => stored).sort(byName)
    return { resourceVersion: String(version), objects, changes, knownSince }
  }
  // Two reads at once would give one change two versions.
  return () => (reading ??= readAll().finally(() => (reading = undefined)))
}

/** The order in which etcd keeps objects, and so the order of every list. */
const byName = ({ metadata: a }: StoredObject, { metadata: b }: StoredObject): number =>
  Number(a.name > b.name) - Number(a.name < b.name)

export const versioned = (object: KubernetesObject, resourceVersion: number): StoredObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(resourceVersion) },
})
