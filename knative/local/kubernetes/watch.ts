import type { ServerResponse } from 'node:http'
import { failures } from './failure.ts'
import { apiVersionOf, type ResourceType } from './resource-types.ts'
import type { Form } from './form.ts'
import { versioned, type Change, type Snapshot, type StoredObject } from './store.ts'

/** Nobody needs more on one machine; each watch is a connection. */
const WATCHES_MAX = 100
const EVERY_MS = 500

interface WatchedObjects extends Form {
  type: ResourceType
  selects: (object: StoredObject) => boolean
}

/**
 * Creates the watches: streams of changes. While at least one is open, all objects are read every half
 * second; otherwise they are not read at all.
 */
export function createWatches(snapshot: () => Promise<Snapshot>) {
  const open = new Map<ServerResponse, (now: Snapshot) => void>()
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<void> => {
    try {
      const now = await snapshot()
      for (const tell of open.values()) tell(now)
    } catch {
      // The next look sends what can't be read now. A client that lists in the meantime gets the error.
    } finally {
      // The next look is scheduled when this one is over, however long it takes.
      timer = open.size > 0 ? setTimeout(() => void look(), EVERY_MS) : undefined
    }
  }

  const close = (response: ServerResponse): void => {
    open.delete(response)
    if (!response.writableEnded) response.end()
  }

  return {
    /**
     * Opens a watch and answers with a stream. Resolves with false, without an answer, if too many are open.
     * @param query its `resourceVersion` says where the watch starts. With a version, the stream sends newer
     *   changes, or that the version is too old. Without one, with 0, or with `sendInitialEvents`, it first
     *   sends all objects
     */
    async open(response: ServerResponse, query: URLSearchParams, watched: WatchedObjects): Promise<boolean> {
      const now = await snapshot()
      if (open.size >= WATCHES_MAX) return false
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      response.flushHeaders()
      const tell = teller(response, query, watched)
      open.set(response, tell)
      const seconds = Number(query.get('timeoutSeconds'))
      const end = seconds > 0 ? setTimeout(() => close(response), seconds * 1000).unref() : undefined
      response.once('close', () => {
        clearTimeout(end)
        close(response)
      })
      tell(now)
      timer ??= setTimeout(() => void look(), EVERY_MS)
      return true
    },
    end(): void {
      clearTimeout(timer)
      timer = undefined
      for (const response of [...open.keys()]) close(response)
    },
  }
}

/** Returns a function that writes to one watcher what it has not seen yet. */
function teller(response: ServerResponse, query: URLSearchParams, { type, selects, one }: WatchedObjects) {
  const wantsAll = query.get('sendInitialEvents') === 'true'
  let told = wantsAll ? 0 : Number(query.get('resourceVersion')) || 0

  const write = (event: string, object: object): void =>
    void response.write(`${JSON.stringify({ type: event, object })}\n`)

  return (now: Snapshot): void => {
    if (response.writableEnded) return
    if (told === 0) {
      for (const object of now.objects.filter(selects)) write('ADDED', one(object, now))
      if (wantsAll) write('BOOKMARK', initialEnd(type, now))
      told = Number(now.resourceVersion)
    }
    if (told < now.knownSince) {
      write('ERROR', failures.expired(told, now.knownSince))
      return void response.end()
    }
    for (const change of now.changes) {
      if (change.resourceVersion <= told) continue
      const [event, object] = eventOf(change, selects)
      if (object) write(event, one(object, now))
    }
    told = Math.max(told, Number(now.resourceVersion))
  }
}

/**
 * The event of a change for a client that sees only selected objects: an object that leaves the selection is
 * deleted for that client.
 */
function eventOf(
  { before, after, resourceVersion }: Change,
  selects: (object: StoredObject) => boolean,
): [event: string, object: StoredObject | undefined] {
  const was = before && selects(before) ? before : undefined
  const is = after && selects(after) ? after : undefined
  if (is) return [was ? 'MODIFIED' : 'ADDED', is]
  return ['DELETED', was && versioned(was, resourceVersion)]
}

/** The object that tells a client that it has been sent all initial objects. */
const initialEnd = (type: ResourceType, { resourceVersion }: Snapshot) => ({
  kind: type.kind,
  apiVersion: apiVersionOf(type),
  metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
})
