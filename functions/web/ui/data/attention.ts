/** A page that nobody has used for this long is looked at by nobody, in milliseconds. */
const USED_WITHIN_MS = 5 * 60_000

/** The events that show that somebody uses a page. */
export const USES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const

/** Calls `tell` with whether somebody looks at the page, now and whenever that changes: it is visible, and
 * was used in the last five minutes. Returns what ends that. */
export function onAttention(tell: (isThere: boolean) => void): () => void {
  let usedAt = Date.now()
  let wasThere: boolean | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    clearTimeout(timer)
    const leftMs = usedAt + USED_WITHIN_MS - Date.now()
    const isVisible = document.visibilityState === 'visible'
    const isThere = isVisible && leftMs > 0
    if (isThere) timer = setTimeout(look, leftMs)
    if (isThere !== wasThere) tell(isThere)
    wasThere = isThere
  }
  const use = (): void => {
    usedAt = Date.now()
    // While somebody is there, the timer finds out by itself that they were.
    if (!wasThere) look()
  }
  const change = (): void => {
    if (document.visibilityState === 'visible') usedAt = Date.now()
    look()
  }
  for (const name of USES) addEventListener(name, use, { passive: true })
  document.addEventListener('visibilitychange', change)
  look()
  return () => {
    clearTimeout(timer)
    for (const name of USES) removeEventListener(name, use)
    document.removeEventListener('visibilitychange', change)
  }
}
