import type { KubernetesObject, Metadata, ReadObjects } from './object.ts'

/** An object with the version by which a client sees that it has changed. */
export type Stored = KubernetesObject & { metadata: Metadata & { resourceVersion: string } }

export interface Snapshot {
  /** That of the newest change. */
  resourceVersion: string
  objects: Stored[]
}

/** Gives each object a new resourceVersion whenever it is not what it was the last time it was read. Versions start
 * with the time, so that those of an earlier run are older. */
export function createStore(read: ReadObjects, startedAt: Date): () => Promise<Snapshot> {
  let version = startedAt.getTime()
  let known = new Map<string, { text: string; stored: Stored }>()
  let reading: Promise<Snapshot> | undefined

  const readAll = async (): Promise<Snapshot> => {
    const next: typeof known = new Map()
    for (const object of await read()) {
      const text = JSON.stringify(object)
      const before = known.get(object.metadata.uid)
      const stored = before?.text === text ? before.stored : versioned(object, String(++version))
      next.set(object.metadata.uid, { text, stored })
    }
    known = next
    return { resourceVersion: String(version), objects: [...known.values()].map(({ stored }) => stored) }
  }
  // Two at once would give one change two versions.
  return () => (reading ??= readAll().finally(() => (reading = undefined)))
}

const versioned = (object: KubernetesObject, resourceVersion: string): Stored => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
})
