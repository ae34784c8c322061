import { browserShelf } from './browser-shelf.ts'
import { KEY_AGE_MS_MAX } from './money-order.ts'

/** What somebody has entered on a page, kept from the end of their session until they are back. It stays in
 * this tab, belongs to one user, and holds no password. */

/** What was entered on a page, by the name of the field. */
export type Entered = Readonly<Record<string, unknown>>

interface KeptInput {
  page: string
  /** When it was first kept, in milliseconds since 1970. */
  keptAtMs: number
  entered: Entered
}

const PREFIX = 'microbank.entered.'
const shelf = browserShelf()
const keepers = new Set<() => void>()

/** Calls `act`, which keeps what its page has, when the session is about to end. Returns what stops that. */
export function onKeep(act: () => void): () => void {
  keepers.add(act)
  return () => keepers.delete(act)
}

/** Keeps what was entered on the page on show. Called before the page goes. */
export function keepEntered(): void {
  for (const keep of keepers) keep()
}

/** Keeps what a user has entered on a page: the last page that had something. `keptAtMs` says since when, if
 * it was found there: a key among it gets no younger. */
export function storeEntered(owner: string, page: string, entered: Entered, keptAtMs = Date.now()): void {
  if (Object.keys(entered).length === 0) return
  const kept: KeptInput = { page, keptAtMs, entered }
  shelf.setItem(PREFIX + owner, JSON.stringify(kept))
}

/** Returns what a user had entered on a page, and when it was first kept, if there is something. An
 * idempotency key may be among it, so it is not taken once the bank may have forgotten that key. */
export function findEntered(owner: string, page: string): { entered: Entered; keptAtMs?: number } {
  const kept = read(owner)
  const isTheirs = kept?.page === page && Date.now() - kept.keptAtMs < KEY_AGE_MS_MAX
  return isTheirs ? kept : { entered: {} }
}

/** Forgets what was kept of a page, once it stands there again. */
export function dropEntered(owner: string, page: string): void {
  if (read(owner)?.page === page) shelf.removeItem(PREFIX + owner)
}

function read(owner: string): KeptInput | undefined {
  try {
    return (JSON.parse(shelf.getItem(PREFIX + owner) ?? 'null') as KeptInput | null) ?? undefined
  } catch {
    return undefined
  }
}
