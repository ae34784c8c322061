import { useEffect, useState } from 'react'

/** Returns how many seconds are left of so many since `what` was first shown; 0 once they are over. Without
 * seconds there is nothing to count. */
export function useCountdown(what: unknown, seconds: number | undefined): number {
  const [left, setLeft] = useState(seconds ?? 0)
  useEffect(() => {
    const endsAt = Date.now() + (seconds ?? 0) * 1_000
    const show = (): void => {
      const now = Math.max(0, Math.ceil((endsAt - Date.now()) / 1_000))
      setLeft(now)
      if (now === 0) clearInterval(timer)
    }
    const timer = setInterval(show, 1_000)
    show()
    return () => clearInterval(timer)
  }, [what, seconds])
  return left
}
