import { browserShelf } from './browser-shelf.ts'
import { KEY_AGE_MS_MAX } from './money-order.ts'
import { isOutcomeOpen } from './open-outcome.ts'

/** An act that is kept from before it is sent until there is an answer. It never changes its key: whatever is
 * lost, it is done once. */
export interface KeptAct {
  key: string
  /** When the key was made, in milliseconds since 1970. */
  madeAtMs: number
}

/** An act was not sent because the bank may have forgotten its key: it could be done twice. */
export class KeyTooOldError extends Error {
  /** As problems of the bank have one, so that notes know what to say. */
  readonly code = 'key-too-old'
}

const isTooOld = ({ madeAtMs }: KeptAct): boolean => !(Date.now() - madeAtMs < KEY_AGE_MS_MAX)

/** Creates a store for acts of one kind that outlives a reload of the page. Each act belongs to the user who
 * asked. */
export function keptActs<Act extends KeptAct>(kind: string) {
  const shelf = browserShelf()
  const nameOf = (owner: string): string => `microbank.${kind}.${owner}`

  /** Returns the act of a user that was sent from this tab and has no answer; undefined once the bank may
   * have forgotten its key, because then it must not be sent again. */
  function unanswered(owner: string): Act | undefined {
    try {
      const act = JSON.parse(shelf.getItem(nameOf(owner)) ?? 'null') as Act | null
      return act && !isTooOld(act) ? act : undefined
    } catch {
      return undefined
    }
  }

  /** Says whether the act with this key is such a one, also if the session or the page ended meanwhile. */
  const isUnanswered = (owner: string, key: string): boolean => unanswered(owner)?.key === key

  /** Sends an act of a user. Rejects as `ask` does; with a KeyTooOldError without asking, because a page can
   * stay open for a week. */
  async function send<Made>(owner: string, act: Act, ask: () => Promise<Made>): Promise<Made> {
    if (isTooOld(act)) throw new KeyTooOldError()
    const wasOpen = isUnanswered(owner, act.key)
    shelf.setItem(nameOf(owner), JSON.stringify(act))
    try {
      const made = await ask()
      shelf.removeItem(nameOf(owner))
      return made
    } catch (error) {
      if (!isOutcomeOpen(error, wasOpen)) shelf.removeItem(nameOf(owner))
      throw error
    }
  }

  return { unanswered, isUnanswered, send }
}
