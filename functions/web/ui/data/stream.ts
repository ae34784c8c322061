import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Notification } from '../../client/index.ts'
import { onAttention } from './attention.ts'
import { setLive } from './live.ts'
import { addNotification, forgetWhatIsOld, notificationsKey } from './notifications.ts'
import { renewSession } from './session-renewal.ts'

/** The live stream of notifications. A browser holds one, however many tabs it has: the tab with the lock has
 * the stream, and tells the others. Without locks (http://microbank.local is no secure context) each tab has
 * its own. */

const PATH = '/api/notifications/stream'
const PAUSE_MS = { least: 1_000, most: 60_000 }

/** What the tab with the stream tells the others. */
type ToldTabs = { id: string; notification: Notification } | { id: string; isLive: boolean }

/** Follows the stream while somebody is signed in and looks at the page. */
export function useNotificationStream(userId: string | undefined): void {
  const queries = useQueryClient()
  useEffect(() => {
    if (userId === undefined) return
    const follower = new Follower(queries, userId)
    const stop = onAttention((isThere) => (isThere ? follower.follow() : follower.pause()))
    return () => {
      stop()
      follower.pause()
      follower.close()
      setLive(undefined)
    }
  }, [queries, userId])
}

class Follower {
  readonly #queries: QueryClient
  readonly #userId: string
  readonly #tabs: BroadcastChannel | undefined
  /** The last event, from whichever tab it came. */
  #lastId: string | undefined
  #source: EventSource | undefined
  #waiting: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  /** Set while this tab follows: ends what it waits for or holds. */
  #following: AbortController | undefined

  constructor(queries: QueryClient, userId: string) {
    this.#queries = queries
    this.#userId = userId
    this.#tabs =
      typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(`notifications ${userId}`)
    this.#tabs?.addEventListener('message', ({ data }: MessageEvent<ToldTabs>) => this.#hear(data))
  }

  follow(): void {
    if (this.#following) return
    const following = (this.#following = new AbortController())
    const { signal } = following
    // What came while nobody looked. Another tab may have got it, and not told this one, which was frozen.
    void this.#queries.invalidateQueries({ queryKey: notificationsKey })
    // The type says that they are always there.
    const locks = navigator.locks as LockManager | undefined
    if (!locks) return this.#open(signal)
    const hold = (): Promise<void> =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve())
        if (signal.aborted) resolve()
        else this.#open(signal)
      })
    setLive('live')
    locks.request(`notifications ${this.#userId}`, { signal }, hold).catch(() => undefined)
  }

  pause(): void {
    this.#following?.abort()
    this.#following = undefined
    this.#shut()
    setLive('paused')
  }

  close(): void {
    this.#tabs?.close()
  }

  #shut(): void {
    clearTimeout(this.#waiting)
    this.#source?.close()
    this.#source = undefined
  }

  #open(signal: AbortSignal): void {
    this.#shut()
    if (signal.aborted) return
    const search = this.#lastId === undefined ? '' : `?last_event_id=${encodeURIComponent(this.#lastId)}`
    const source = (this.#source = new EventSource(PATH + search))
    // It ended by itself, so that a tab that is left open keeps no function from zero.
    let isPlanned = false
    source.onopen = () => {
      isPlanned = false
      this.#failures = 0
      this.#say(true)
    }
    source.onmessage = ({ lastEventId }: MessageEvent<string>) => this.#keepPlace(lastEventId)
    source.addEventListener('notification', ({ data, lastEventId }: MessageEvent<string>) => {
      const told = { id: lastEventId, notification: JSON.parse(data) as Notification }
      this.#tabs?.postMessage(told)
      this.#hear(told)
    })
    source.addEventListener('end', ({ data }: MessageEvent<string>) => {
      isPlanned = true
      const { reason } = JSON.parse(data) as { reason: string }
      if (reason === 'token-expired') void this.#reopen(signal, 0)
    })
    source.onerror = () => {
      if (!isPlanned) this.#say(false)
      // It comes back by itself, unless it was refused.
      if (source.readyState === EventSource.CLOSED) void this.#refused(signal)
    }
  }

  /** Why, an EventSource doesn't say: the session may need new cookies, or the stream is too far ahead. */
  async #refused(signal: AbortSignal): Promise<void> {
    this.#failures++
    if (this.#failures > 1) {
      this.#lastId = undefined
      forgetWhatIsOld(this.#queries)
    }
    await this.#reopen(signal, Math.min(PAUSE_MS.least * 2 ** (this.#failures - 1), PAUSE_MS.most))
  }

  async #reopen(signal: AbortSignal, pauseMs: number): Promise<void> {
    this.#shut()
    const isSignedIn = await renewSession().catch(() => true)
    // Whoever signs in begins a new stream.
    if (isSignedIn && !signal.aborted) this.#waiting = setTimeout(() => this.#open(signal), pauseMs)
  }

  #keepPlace(id: string): void {
    if (id !== '') this.#lastId = id
  }

  #say(isLive: boolean): void {
    this.#tabs?.postMessage({ id: this.#lastId ?? '', isLive } satisfies ToldTabs)
    setLive(isLive ? 'live' : 'away')
  }

  #hear(told: ToldTabs): void {
    this.#keepPlace(told.id)
    if ('notification' in told) addNotification(this.#queries, told.notification)
    // Who doesn't follow is paused, whatever others see.
    else if (this.#following) setLive(told.isLive ? 'live' : 'away')
  }
}
