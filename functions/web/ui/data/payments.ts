import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { Payment } from '../../client/index.ts'
import { accountsQuery } from './accounts.ts'
import { api } from './api.ts'
import { keptActs, type KeptAct } from './kept-act.ts'
import { ownOnly, useSentBy, useSession } from './session.ts'

export type { Payment }

/** The newest payments of whoever is signed in. */
export const paymentsQuery = () =>
  queryOptions({
    queryKey: ['payments'],
    queryFn: async ({ client, signal }) =>
      (await api.get('/api/payments', { query: { limit: 100, ...(await ownOnly(client)) }, signal })).items,
    // What is on its way is settled within seconds.
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status.endsWith('ing')) ? 2_000 : false,
  })

export type PaymentAct = 'execute' | 'cancel'

export interface NewPaymentBody {
  account_id: string
  payee_account_id: string
  amount: string
  currency: string
  description?: string
}

/** A payment that was checked. */
export interface CheckedPayment extends KeptAct {
  body: NewPaymentBody
}

const kept = keptActs('payment')
export const isUnansweredPayment = kept.isUnanswered

/** Creates a payment: its money is held until it is executed or cancelled. */
export function useCreatePayment() {
  const [patch, headers] = [usePatch(), useSentBy()]
  const { user_id: owner } = useSession()
  return useMutation({
    mutationFn: ({ body, key, madeAtMs }: CheckedPayment) =>
      kept.send(owner, { key, madeAtMs }, () =>
        api.post('/api/payments/create', { body, idempotencyKey: key, headers }),
      ),
    onSuccess: patch,
  })
}

/** Executes or cancels a payment. Repeats change nothing. */
export function useEndPayment() {
  const [patch, headers] = [usePatch(), useSentBy()]
  return useMutation({
    mutationFn: ({ act, id }: { act: PaymentAct; id: string }) =>
      api.post(`/api/payments/${act}`, { body: { payment_id: id }, headers }),
    onSuccess: patch,
  })
}

/** Puts a payment into the list, and asks anew for what its money changes. */
function usePatch() {
  const queries = useQueryClient()
  return (payment: Payment) => {
    queries.setQueryData(paymentsQuery().queryKey, (list) =>
      list?.some(({ id }) => id === payment.id)
        ? list.map((each) => (each.id === payment.id ? payment : each))
        : [payment, ...(list ?? [])],
    )
    void queries.invalidateQueries({ queryKey: ['payments'] })
    void queries.invalidateQueries(accountsQuery())
  }
}
