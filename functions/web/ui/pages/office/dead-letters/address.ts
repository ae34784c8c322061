import type { LetterStatus } from '../../../data/dead-letters.ts'

/** What of the dead letters is shown: those of a status, and the group that is open. */
export interface ShownLetters {
  status: LetterStatus
  group?: string | undefined
}

export function readAddress(search: string): ShownLetters {
  const query = new URLSearchParams(search)
  const status = query.get('status')
  return {
    status: status === 'redriven' || status === 'discarded' ? status : 'stored',
    group: query.get('group') ?? undefined,
  }
}

export function addressOf({ status, group }: ShownLetters): string {
  const query = new URLSearchParams()
  if (status !== 'stored') query.set('status', status)
  if (group !== undefined) query.set('group', group)
  return `/office/dead-letters${query.size > 0 ? `?${query}` : ''}`
}
