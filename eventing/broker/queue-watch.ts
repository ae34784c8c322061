import type { BrokerQueue } from './queue.ts'

export interface QueueState {
  /** Why the queue can't be used; empty if it can. */
  reason: string
  /** Number of events in each queue; undefined if that is not known. */
  backlogs: Map<string, number> | undefined
}

/** Time for an answer, in ms. Whoever asks waits for no more. */
const ANSWER_MS = 2_000
/** Time without an answer, in ms, after which a queue counts as away. A queue that is only busy answers
 * sooner. */
const SILENT_MS = 30_000

/** Returns a function that asks a queue what waits in it, and tells by the answer whether it is there. A late
 * answer does not make it away, because on a busy machine every answer is late. */
export function watchQueue(
  queue: Pick<BrokerQueue, 'backlogs'>,
  { answerMs = ANSWER_MS, silentMs = SILENT_MS } = {},
): () => Promise<QueueState> {
  /** When the first question was asked that has no answer yet, by performance.now(). */
  let silentSince: number | undefined
  let isLate = false

  /** Resolves with undefined if the answer is late. */
  const ask = async (): Promise<Map<string, number> | undefined> => {
    const askedAt = performance.now()
    const answer = queue.backlogs()
    const answered = answer.then((backlogs) => {
      silentSince = undefined
      return backlogs
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        silentSince ??= askedAt
        isLate = true
        const settled = (): void => void (isLate = false)
        answer.then(settled, settled)
        resolve(undefined)
      }, answerMs)
    })
    try {
      return await Promise.race([answered, late])
    } finally {
      clearTimeout(timer)
    }
  }
  const isSilent = (): boolean => silentSince !== undefined && performance.now() - silentSince >= silentMs

  return async () => {
    try {
      // More questions would make a slow queue slower.
      const backlogs = isLate && !isSilent() ? undefined : await ask()
      return { backlogs, reason: !backlogs && isSilent() ? 'the queue does not answer' : '' }
    } catch (error) {
      // Once it is back, it has all the time again.
      silentSince = undefined
      return { backlogs: undefined, reason: (error as Error).message || 'the queue does not answer' }
    }
  }
}
