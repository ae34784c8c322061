import type { OrderShelf } from './order-desk.ts'

/** Returns a shelf in the browser for acts that have no answer yet. If the browser keeps nothing, money still
 * moves once; only a reload forgets the act. */
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
