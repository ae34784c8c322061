import { createContext, useContext, useEffect, useRef, useState, type ChangeEvent } from 'react'

/** What is entered on one page, by name. If the session ends, the frame keeps all of it; when its user is
 * back, each field starts with what it had. */
export class EnteredPage {
  readonly #found: Map<string, unknown>
  readonly #readers = new Map<string, () => unknown>()

  /** `found` is what the page had when the session ended. */
  constructor(found: Readonly<Record<string, unknown>>) {
    this.#found = new Map(Object.entries(found))
  }

  /** Returns what a field had, until the field is there. */
  find(name: string): unknown {
    return this.#found.get(name)
  }

  /** Reads a field from now on, which has taken what it had: a form that is opened again starts empty.
   * `read` returns undefined if nothing was entered. Returns what stops that. */
  add(name: string, read: () => unknown): () => void {
    this.#found.delete(name)
    this.#readers.set(name, read)
    return () => {
      if (this.#readers.get(name) === read) this.#readers.delete(name)
    }
  }

  /** Returns all that was entered, also what no field has taken yet, by name. */
  all(): Record<string, unknown> {
    const read = [...this.#readers].map(([name, value]) => [name, value()] as const)
    const entered = [...this.#found, ...read].filter(([, value]) => value !== undefined)
    return Object.fromEntries(entered)
  }
}

/** The page on show. Pages that need no session have none, and keep nothing. */
export const EnteredContext = createContext<EnteredPage | undefined>(undefined)

/** The name of the form around a field, which is unique on its page. */
export const FormNameContext = createContext('')

/** State that somebody enters, such as a controlled field, or which form is open. Unlike other state it
 * outlives the end of a session. The value must survive JSON; its name is unique on the page. */
export function useEntered<Value>(
  name: string,
  initial: Value | (() => Value),
): [value: Value, enter: (next: Value) => void] {
  const page = useContext(EnteredContext)
  const [found] = useState(() => page?.find(name) as Value | undefined)
  const [value, setValue] = useState<Value>(
    () => found ?? (initial instanceof Function ? initial() : initial),
  )
  // Only what was entered is kept: what a page says by itself may be another thing by then.
  const entered = useRef(found)
  useEffect(() => page?.add(name, () => entered.current), [page, name])
  return [
    value,
    (next) => {
      entered.current = next
      setValue(next)
    },
  ]
}

/** What a field takes that holds its own value. `isKept`: it is no password, and no page holds its value. */
export function useEnteredField<Element extends { value: string }>(
  name: string,
  isKept: boolean,
  onChange: ((event: ChangeEvent<Element>) => void) | undefined,
): { found: string | undefined; onChange: (event: ChangeEvent<Element>) => void } {
  const page = useContext(EnteredContext)
  const full = `${useContext(FormNameContext)}/${name}`
  const [found] = useState(() => (isKept ? (page?.find(full) as string | undefined) : undefined))
  const entered = useRef(found)
  useEffect(() => (isKept ? page?.add(full, () => entered.current) : undefined), [page, full, isKept])
  return {
    found,
    onChange(event) {
      entered.current = event.currentTarget.value
      onChange?.(event)
    },
  }
}
