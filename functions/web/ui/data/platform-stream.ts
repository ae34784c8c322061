import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { onAttention } from './attention.ts'
import type { LiveState } from './live.ts'
import { deliveredBetween, withChange, type Deliveries } from './picture-change.ts'
import { pictureQuery, type BankPicture } from './platform.ts'
import { renewSession } from './session-renewal.ts'

const PATH = '/api/platform/stream'
const PAUSE_MS = { least: 1_000, most: 60_000 }

const listeners = new Set<(deliveries: Deliveries[]) => void>()

/** Calls `listen` with what was delivered, at most twice a second. Returns what ends that. */
export function onDelivered(listen: (deliveries: Deliveries[]) => void): () => void {
  listeners.add(listen)
  return () => void listeners.delete(listen)
}

/** Keeps the picture of the bank up to date while somebody looks at the page, so that a tab that is left open
 * keeps no function from zero. Returns how the stream does. */
export function usePlatformStream(): LiveState {
  const queries = useQueryClient()
  const [state, setState] = useState<LiveState>()
  useEffect(() => {
    let close: (() => void) | undefined
    const stop = onAttention((isThere) => {
      close?.()
      close = isThere ? follow(queries, setState) : undefined
      if (!isThere) setState('paused')
    })
    return () => {
      stop()
      close?.()
    }
  }, [queries])
  return state
}

/** Follows the stream. Returns what ends that. */
function follow(queries: QueryClient, say: (state: LiveState) => void): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let isOver = false
  const { queryKey } = pictureQuery()

  const show = (next: BankPicture): void => {
    const before = queries.getQueryData<BankPicture>(queryKey)
    queries.setQueryData(queryKey, next)
    const deliveries = before ? deliveredBetween(before, next) : []
    if (deliveries.length > 0) for (const listen of listeners) listen(deliveries)
    say('live')
  }
  const open = (): void => {
    // It ended by itself, and comes back by itself.
    let isPlanned = false
    const opened = (source = new EventSource(PATH))
    const on = <Data>(type: string, take: (data: Data) => void): void =>
      opened.addEventListener(type, ({ data }: MessageEvent<string>) => take(JSON.parse(data) as Data))
    opened.onopen = () => {
      isPlanned = false
      failures = 0
    }
    on<BankPicture>('topology', show)
    on<Partial<BankPicture>>('change', (change) => {
      const before = queries.getQueryData<BankPicture>(queryKey)
      if (before) show(withChange(before, change))
    })
    on('away', () => say('away'))
    on<{ reason: string }>('end', ({ reason }) => {
      isPlanned = true
      if (reason === 'token-expired') void reopen(0)
    })
    opened.onerror = () => {
      if (!isPlanned) say('away')
      if (opened.readyState === EventSource.CLOSED)
        void reopen(Math.min(PAUSE_MS.least * 2 ** failures++, PAUSE_MS.most))
    }
  }
  /** The session may need new cookies: an EventSource doesn't say why it was refused. */
  const reopen = async (pauseMs: number): Promise<void> => {
    source?.close()
    await renewSession().catch(() => undefined)
    if (!isOver) timer = setTimeout(open, pauseMs)
  }
  open()
  return () => {
    isOver = true
    clearTimeout(timer)
    source?.close()
  }
}
