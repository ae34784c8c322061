import type { ServerResponse } from 'node:http'
import { apiVersionOf, type ResourceType } from './resource-types.ts'
import type { Form } from './server.ts'
import type { Snapshot, Stored } from './store.ts'

/** Nobody on one machine needs more; each is a connection. */
const WATCHES_MAX = 100
const EVERY_MS = 500

interface Watched extends Form {
  type: ResourceType
  selects: (object: Stored) => boolean
}

/** Streams of what changes. While at least one is open the objects are read again every half second; otherwise
 * nothing is. */
export function createWatches(snapshot: () => Promise<Snapshot>) {
  const open = new Map<ServerResponse, (now: Snapshot) => void>()
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<void> => {
    try {
      const now = await snapshot()
      for (const tell of open.values()) tell(now)
    } catch {
      // What can't be read now is told with the next look; whoever lists meanwhile gets the error.
    } finally {
      // One look after the other, however long one takes.
      timer = open.size > 0 ? setTimeout(() => void look(), EVERY_MS) : undefined
    }
  }

  const close = (res: ServerResponse): void => {
    open.delete(res)
    if (!res.writableEnded) res.end()
  }

  return {
    /** Answers with a stream. Resolves with false, and nothing answered, where too many are open.
     * @param query `resourceVersion`: what is newer is told; none or 0: all that there is, then what is newer */
    async open(res: ServerResponse, query: URLSearchParams, watched: Watched): Promise<boolean> {
      const now = await snapshot()
      if (open.size >= WATCHES_MAX) return false
      res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      res.flushHeaders()
      const tell = teller(res, query, watched)
      open.set(res, tell)
      const seconds = Number(query.get('timeoutSeconds'))
      const end = seconds > 0 ? setTimeout(() => close(res), seconds * 1000).unref() : undefined
      res.once('close', () => {
        clearTimeout(end)
        close(res)
      })
      tell(now)
      timer ??= setTimeout(() => void look(), EVERY_MS)
      return true
    },
    end(): void {
      clearTimeout(timer)
      timer = undefined
      for (const res of [...open.keys()]) close(res)
    },
  }
}

/** Writes to one watcher what it has not seen yet. */
function teller(res: ServerResponse, query: URLSearchParams, { type, selects, one }: Watched) {
  const asked = query.get('resourceVersion') ?? ''
  const since = Number(asked) || 0
  const seen = new Map<string, Stored>()
  let isFirst = true

  const write = (event: string, object: object): void =>
    void res.write(`${JSON.stringify({ type: event, object })}\n`)

  return (now: Snapshot): void => {
    const current = now.objects.filter(selects)
    for (const object of current) {
      const { uid, resourceVersion } = object.metadata
      const before = seen.get(uid)
      seen.set(uid, object)
      if (before?.metadata.resourceVersion === resourceVersion) continue
      const isNew = !before && (!isFirst || since === 0)
      if (isNew || before || Number(resourceVersion) > since)
        write(isNew ? 'ADDED' : 'MODIFIED', one(object, now))
    }
    const left = new Set(current.map(({ metadata }) => metadata.uid))
    for (const [uid, object] of seen) {
      if (left.has(uid)) continue
      seen.delete(uid)
      write('DELETED', one(object, now))
    }
    if (isFirst && query.get('sendInitialEvents') === 'true') write('BOOKMARK', initialEnd(type, now))
    isFirst = false
  }
}

/** What tells a client that it has been sent all that there was. */
const initialEnd = (type: ResourceType, { resourceVersion }: Snapshot) => ({
  kind: type.kind,
  apiVersion: apiVersionOf(type),
  metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
})
