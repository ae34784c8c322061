import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Account } from '../../client/index.ts'
import { ActKeys } from './act-keys.ts'
import { api } from './api.ts'
import type { OrderBody } from './money-order.ts'
import { useSentBy } from './session.ts'

/** The operator's own accounts between which the Engine room moves money. No customer's money is touched. */
const NAMES = ['Demo A', 'Demo B'] as const
const CURRENCY = 'USD'

/** Makes a real transfer of 1.00 between the two demo accounts of the operator who is signed in. Opens and
 * fills them if that is needed. Resolves with the transfer's id. Without an answer, the next is the same. */
export function useDemoTransfer() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const [keys] = useState(() => new ActKeys())
  return useMutation({
    mutationFn: async (): Promise<string> => {
      const { items } = await api.get('/api/accounts', {
        query: { user_id: headers['session-user'], limit: 200 },
      })
      const pair = await Promise.all(NAMES.map((name) => demoAccount(name, headers, items)))
      const rich = pair.find(({ available }) => /^[1-9]/.test(available))
      const [from, to] = rich === pair[1] ? [pair[1], pair[0]] : pair
      const post = (body: OrderBody) =>
        keys.send(body, (idempotencyKey) => api.post('/api/transactions', { body, idempotencyKey, headers }))
      if (!rich) await post({ type: 'deposit', account_id: from!.id, amount: '100.00' })
      const { id } = await post({
        ...{ type: 'transfer', account_id: from!.id, to_account_id: to!.id },
        amount: '1.00',
      })
      return id
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['accounts'] }),
  })
}

async function demoAccount(
  name: string,
  headers: ReturnType<typeof useSentBy>,
  accounts: readonly Account[],
): Promise<Account> {
  const known = accounts.find(
    (account) => account.name === name && account.status === 'open' && account.currency === CURRENCY,
  )
  const body = {
    user_id: headers['session-user'],
    account_type: 'checking',
    name,
    currency: CURRENCY,
  } as const
  return known ?? api.post('/api/accounts', { body, headers })
}
