import { useEffect, useState } from 'react'
import type { PicturedFunction } from '../../../data/platform.ts'
import styles from './state-mark.module.css'

export const states = ['zero', 'starting', 'ready', 'busy', 'failing'] as const

/** The longest start that the arc shows as a part of the ring, in milliseconds. */
const ARC_MS = 1_000
const LENGTH = 2 * Math.PI * 6

/** A function's state as a shape: a dashed ring, a growing arc, a full ring, a filled one, a triangle. */
export function StateMark({ state, ms = 0 }: { state: PicturedFunction['state']; ms?: number }) {
  const part = state === 'starting' ? Math.max(0.15, Math.min(1, ms / ARC_MS)) : 1
  return (
    <svg className={styles.mark} data-state={state} viewBox="0 0 16 16" aria-hidden="true">
      {state === 'failing' ? (
        <path d="M8 2 L14.5 13.5 H1.5 Z" />
      ) : (
        <circle
          cx="8"
          cy="8"
          r="6"
          strokeDasharray={state === 'starting' ? `${part * LENGTH} ${LENGTH}` : undefined}
        />
      )}
      {state === 'busy' && <circle className={styles.core} cx="8" cy="8" r="3" />}
    </svg>
  )
}

/** Milliseconds for which something is so, while it is; 0 otherwise. */
export function useMsWhile(isSo: boolean): number {
  const [ms, setMs] = useState(0)
  useEffect(() => {
    if (!isSo) return
    const since = performance.now()
    const timer = setInterval(() => setMs(performance.now() - since), 100)
    return () => {
      clearInterval(timer)
      setMs(0)
    }
  }, [isSo])
  return ms
}
