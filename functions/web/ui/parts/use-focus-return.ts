import { useLayoutEffect, useRef, useState, type RefObject } from 'react'

/** For a part that comes and goes, such as a form that asks for a reason. If it has the focus when it goes,
 * the focus goes to what took its place: the same control, if it was drawn anew; what opened the part, or
 * what was drawn in that one's place; else the heading of the page. Otherwise whoever uses the keyboard
 * would begin at the top. */
export function useFocusReturn<Part extends HTMLElement>(): RefObject<Part | null> {
  const part = useRef<Part>(null)
  const [opener] = useState(() => document.activeElement)
  useLayoutEffect(() => {
    const left = part.current
    const around = left?.parentElement?.closest('section')
    return () => {
      const had = document.activeElement
      if (!left?.contains(had)) return
      const wanted = [had, opener].map((gone) => ({ gone, look: lookOf(gone) }))
      // By then React has drawn what comes in its place, which may have taken the focus.
      queueMicrotask(() => {
        if (left.isConnected || document.activeElement !== document.body) return
        const place = around?.isConnected ? around : document.querySelector('main')
        for (const { gone, look } of wanted) {
          const target = gone?.isConnected && gone.closest('main') ? gone : likeOf(look, place)
          if (target instanceof HTMLElement) target.focus()
          if (document.activeElement !== document.body) return
        }
        document.querySelector('h1')?.focus()
      })
    }
  }, [opener])
  return part
}

interface ControlLook {
  tag: string
  is: string
}

/** What tells a control from others: what it says, whose it is, and in which form it stands. */
function lookOf(element: Element | null): ControlLook | undefined {
  if (!element || element === document.body) return undefined
  const names = ['type', 'name', 'aria-label', 'aria-description'].map((name) => element.getAttribute(name))
  const form = element.closest('form')?.getAttribute('name')
  return { tag: element.tagName, is: JSON.stringify([element.textContent, form, ...names]) }
}

const likeOf = (look: ControlLook | undefined, place: Element | null): Element | undefined =>
  look && place
    ? [...place.querySelectorAll(look.tag)].find((each) => lookOf(each)?.is === look.is)
    : undefined
