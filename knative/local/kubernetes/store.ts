import type { KubernetesObject, Metadata, ReadObjects } from './object.ts'

/** An object with the version by which a client sees that it has changed. */
export type StoredObject = KubernetesObject & { metadata: Metadata & { resourceVersion: string } }

/** An object as it was and as it is: new without `before`, gone without `after`. */
export interface Change {
  resourceVersion: number
  before: StoredObject | undefined
  after: StoredObject | undefined
}

export interface Snapshot {
  /** That of the newest change. */
  resourceVersion: string
  objects: StoredObject[]
  /** The last changes, oldest first. */
  changes: readonly Change[]
  /** Every change after this version is among them. */
  knownSince: number
}

/** So many changes back a watch can begin. Who was away for longer lists anew. */
const CHANGES_MAX = 1000

/** Gives each object a new resourceVersion whenever it is not what it was the last time it was read. Versions
 * start with the time, so that those of an earlier run are older. */
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
    // A copy, because what a snapshot holds must not change.
    changes = [...changes]
    for (const object of await read()) {
      // One object in two versions of its kind has one uid.
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
  // Two at once would give one change two versions.
  return () => (reading ??= readAll().finally(() => (reading = undefined)))
}

/** The order in which etcd keeps them, and every list has them. */
const byName = ({ metadata: a }: StoredObject, { metadata: b }: StoredObject): number =>
  Number(a.name > b.name) - Number(a.name < b.name)

export const versioned = (object: KubernetesObject, resourceVersion: number): StoredObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(resourceVersion) },
})
