import { newKey } from './new-key.ts'
import { isOutcomeOpen } from './open-outcome.ts'

/** Gives what somebody does its idempotency keys. As long as it may have taken effect without an answer, the
 * same again keeps its key, so that it takes effect once: also while it is under way, because a busy page
 * hears two clicks before it can take the button away. After an answer it gets another, because the bank
 * keeps refusals under their keys. */
export class ActKeys {
  private last = { text: '', key: '' }
  private isOpen = false
  private isUnderWay = false

  /** Returns the key of what is asked for now. */
  keyOf(asked: unknown): string {
    const text = JSON.stringify(asked)
    if (!(this.isOpen || this.isUnderWay) || this.last.text !== text) {
      this.last = { text, key: newKey() }
      this.isOpen = false
    }
    this.isUnderWay = true
    return this.last.key
  }

  /** Does it with its key. Rejects as `act` does. */
  async send<Made>(asked: unknown, act: (key: string) => Promise<Made>): Promise<Made> {
    const key = this.keyOf(asked)
    try {
      const made = await act(key)
      this.hear(null)
      return made
    } catch (error) {
      this.hear(error)
      throw error
    }
  }

  /** Takes what came of it: no error, or why it failed. */
  hear(error: unknown): void {
    this.isUnderWay = false
    this.isOpen = Boolean(error) && isOutcomeOpen(error, this.isOpen)
  }
}
