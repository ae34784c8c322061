import { setTimeout as pause } from 'node:timers/promises'
import { seldom } from '../../monitoring/seldom.ts'
import type { Log } from '../../monitoring/log.ts'
import {
  ListAgainError,
  shownKinds,
  type ClusterObject,
  type ClusterObjects,
  type KubernetesClient,
  type ShownKind,
} from './kubernetes.ts'

/** Seconds after which the API ends a watch, and a new one is opened. If an API server hangs, its connections
 * stay open and say nothing, so for about as long an old picture is taken for the present one. */
const WATCH_SECONDS = 30
/** Milliseconds that the API may be late with that. Then the connection has died in silence. */
const LATE_MS_MAX = 5_000
/** Milliseconds until a kind is listed again after its watch has ended. */
const AGAIN_MS = 500
/** The most milliseconds until a kind is listed again after failures. */
const AGAIN_MS_MAX = 30_000

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: ClusterObject
}

/** Returns the milliseconds until a kind is listed again. Each failure in a row about doubles them, which
 * gives a busy API time to recover. A random part lets clients that were cut off together come back at
 * different moments. */
export function untilListedMs(failures: number, random: () => number = Math.random): number {
  if (failures === 0) return AGAIN_MS
  const mostMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** failures)
  return mostMs / 2 + (random() * mostMs) / 2
}

/** The objects that are shown, kept up to date by watches of the Kubernetes API while they are followed. */
export class FollowedObjects {
  readonly #client: Pick<KubernetesClient, 'list' | 'open'>
  readonly #warn: ReturnType<typeof seldom>
  readonly #watchSeconds: number
  readonly #lateMsMax: number
  readonly #untilListedMs: typeof untilListedMs
  readonly #kinds = new Map<ShownKind, Map<string, ClusterObject>>()
  /** Kinds of which nothing is heard at present. */
  readonly #lost = new Set<ShownKind>()
  #ending = new AbortController()

  constructor(
    client: Pick<KubernetesClient, 'list' | 'open'>,
    log: Pick<Log, 'warn'>,
    { watchSeconds = WATCH_SECONDS, lateMsMax = LATE_MS_MAX, untilMs = untilListedMs } = {},
  ) {
    this.#client = client
    this.#watchSeconds = watchSeconds
    this.#lateMsMax = lateMsMax
    this.#untilListedMs = untilMs
    this.#warn = seldom((message, fields) => log.warn(message, fields))
  }

  /** Begins to follow all kinds. */
  start(): void {
    this.#ending = new AbortController()
    for (const kind of shownKinds) void this.#follow(kind, this.#ending.signal)
  }

  stop(): void {
    this.#ending.abort()
    this.#kinds.clear()
    this.#lost.clear()
  }

  /** The objects as they are now; undefined while some of them are not known, or may be old. */
  get current(): ClusterObjects | undefined {
    if (this.#lost.size > 0 || this.#kinds.size < shownKinds.length) return undefined
    return Object.fromEntries(
      shownKinds.map((kind) => [kind, [...this.#kinds.get(kind)!.values()]]),
    ) as ClusterObjects
  }

  async #follow(kind: ShownKind, signal: AbortSignal): Promise<void> {
    /** Rounds in a row that failed. */
    let failures = 0
    while (!signal.aborted) {
      try {
        const { items, resourceVersion } = await this.#client.list(kind)
        if (signal.aborted) return
        const objects = new Map(items.map((object) => [object.metadata.uid, object]))
        this.#kinds.set(kind, objects)
        this.#lost.delete(kind)
        await this.#watch(kind, resourceVersion, objects, signal, () => (failures = 0))
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        failures++
        // The API answers, so what is known is still shown.
        if (!(error instanceof ListAgainError)) {
          this.#lost.add(kind)
          const { message, cause } = error as Error
          this.#warn('the Kubernetes API does not tell what changes', {
            error: message,
            cause: String(cause ?? ''),
          })
        }
      }
      await pause(this.#untilListedMs(failures), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Takes what changes, until the watch ends. Rejects if it fails. */
  async #watch(
    kind: ShownKind,
    from: string,
    objects: Map<string, ClusterObject>,
    signal: AbortSignal,
    onTold: () => void,
  ): Promise<void> {
    const query = `watch=true&resourceVersion=${from}&timeoutSeconds=${this.#watchSeconds}`
    const ending = new AbortController()
    const end = (): void => ending.abort()
    const late = setTimeout(end, this.#watchSeconds * 1000 + this.#lateMsMax)
    signal.addEventListener('abort', end)
    try {
      const response = await this.#client.open(kind, query, ending.signal)
      for await (const { type, object } of eventsOf(response.setEncoding('utf8'))) {
        // For example because the version is too old.
        if (type === 'ERROR') throw new ListAgainError('the watch ended with an error')
        onTold()
        if (type === 'DELETED') objects.delete(object.metadata.uid)
        else if (type !== 'BOOKMARK') objects.set(object.metadata.uid, object)
      }
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', end)
      end()
    }
  }
}

/** The events in an answer that goes on, a line each. */
async function* eventsOf(parts: AsyncIterable<string>): AsyncGenerator<WatchEvent> {
  let begun = ''
  for await (const part of parts) {
    const lines = (begun + part).split('\n')
    begun = lines.pop()!
    for (const line of lines) if (line) yield JSON.parse(line) as WatchEvent
  }
}
