import { useRef, type ComponentProps, type MouseEvent } from 'react'
import { keepSession } from '../data/session.ts'

/** A link to a file of the bank. The browser fetches it by itself, with the cookies that it has then. So
 * cookies that are too old are renewed first: otherwise the browser would save a problem as the file. */
export function FileLink({ children, ...link }: ComponentProps<'a'>) {
  const isKept = useRef(false)
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    // Two kinds of clicks are the browser's: the one from below, and one with a key that opens another tab.
    if (isKept.current || event.metaKey || event.ctrlKey || event.shiftKey)
      return void (isKept.current = false)
    event.preventDefault()
    const anchor = event.currentTarget
    const go = (): void => {
      isKept.current = true
      anchor.click()
    }
    // If the bank doesn't answer, the browser says so.
    keepSession().then((isSignedIn) => isSignedIn && go(), go)
  }
  return (
    <a {...link} onClick={follow}>
      {children}
    </a>
  )
}
