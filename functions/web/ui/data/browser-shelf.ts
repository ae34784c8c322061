import type { OrderShelf } from './order-desk.ts'

/** Returns what keeps what has no answer yet. A browser that keeps nothing still moves money once; only a
 * reload forgets it. */
export function browserShelf(): OrderShelf {
  const attempt = <Value>(act: () => Value, otherwise: Value): Value => {
    try {
      return act()
    } catch {
      return otherwise
    }
  }
  return {
    getItem: (name) => attempt(() => sessionStorage.getItem(name), null),
    setItem: (name, text) => attempt(() => sessionStorage.setItem(name, text), undefined),
    removeItem: (name) => attempt(() => sessionStorage.removeItem(name), undefined),
  }
}
