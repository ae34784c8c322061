import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ActKeys } from './act-keys.ts'
import { useSentBy } from './session.ts'

/** What each such act is sent with. */
export interface HowToSend {
  headers: { 'session-user': string }
  idempotencyKey: string
}

/** Does what somebody decides, as the user whom the page shows, and once, however often it is sent until
 * there is an answer. Afterwards what begins with one of these words is read again; also after a failure,
 * because it may have been done. */
export function useKeyedAct<Given, Made>(
  act: (given: Given, how: HowToSend) => Promise<Made>,
  words: readonly string[],
) {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const [keys] = useState(() => new ActKeys())
  return useMutation({
    mutationFn: (given: Given) => act(given, { headers, idempotencyKey: keys.keyOf(given) }),
    onSettled: (_made, error) => {
      keys.hear(error)
      // Nobody waits for that: its form goes.
      void queries.invalidateQueries({ predicate: ({ queryKey: [word] }) => words.includes(String(word)) })
    },
  })
}
