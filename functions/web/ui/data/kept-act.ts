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
      return act && Date.now() - act.madeAtMs < KEY_AGE_MS_MAX ? act : undefined
    } catch {
      return undefined
    }
  }

  /** Says whether the act with this key is such a one, also if the session or the page ended meanwhile. */
  const isUnanswered = (owner: string, key: string): boolean => unanswered(owner)?.key === key

  /** Sends an act of a user. Rejects as `ask` does. */
  async function send<Made>(owner: string, act: Act, ask: () => Promise<Made>): Promise<Made> {
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
