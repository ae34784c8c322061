import type { Tools } from '../../host/tools.ts'
import { createGuard, type Guard } from '../stops/guard.ts'
import { createIndexing } from '../transactions/search-index.ts'
import type { PostingRequest } from './posting-request.ts'

/** What goes on after postings are committed, off the way of their answers. */
export interface FollowUp {
  /** Has postings checked by the guard, and indexed for searches. */
  note(posted: readonly PostingRequest[]): void
}

export function createFollowUp(
  { db, log }: Pick<Tools, 'db' | 'log'>,
  guard: Guard = createGuard({ db, log }),
): FollowUp {
  const index = createIndexing({ db })
  return {
    note(posted) {
      guard.note(posted)
      index(posted)
    },
  }
}
