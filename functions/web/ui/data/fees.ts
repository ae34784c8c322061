import { queryOptions, useMutation } from '@tanstack/react-query'
import type {
  CreateFeesDryRunRequest,
  Fee,
  FeeTrial,
  Limits,
  SetAccountLimitsRequest,
} from '../../client/index.ts'
import { api } from './api.ts'
import { useOfficeAct } from './office-act.ts'
import { questionOf } from './question.ts'

export type { Fee, FeeTrial, Limits }

/** A fee that is tried out: what PUT /fees takes, but for the reason. */
export type ProposedFee = Omit<CreateFeesDryRunRequest, 'days'>

/** Days whose transactions a proposed fee is tried on. */
const TRIAL_DAYS = 7

/** The fees in force, and those to come. */
export const feesQuery = () =>
  queryOptions({
    queryKey: ['fees'],
    queryFn: async ({ signal }) => (await api.get('/api/fees', { signal })).items,
  })

/** Tells what last week's transactions have cost, and what they would have cost. Changes nothing. */
export const useTryFee = () =>
  useMutation({
    mutationFn: (fee: ProposedFee) => api.post('/api/fees/dry-run', { body: { ...fee, days: TRIAL_DAYS } }),
  })

/** Publishes a fee as a new version. */
export const usePublishFee = () =>
  useOfficeAct(
    (body: ProposedFee & { reason: string; valid_from?: string }, how) =>
      api.put('/api/fees', { body, ...how }),
    ['fees'],
  )

/** The limits of an account in force, what they leave, and limits to come, with the id of the account.
 * `named` is its number or its id. The result is empty if no account can have that number, or none has it. */
export const limitsQuery = (named: string) =>
  queryOptions({
    queryKey: ['accounts', named, 'limits'],
    queryFn: async ({ signal }): Promise<{ id: string; limits: Limits } | Record<string, never>> => {
      const question = questionOf(named)
      if (question === undefined || 'query' in question) return {}
      const id =
        'id' in question
          ? question.id
          : (await api.get('/api/accounts', { query: { number: question.account_number }, signal })).items[0]
              ?.id
      if (id === undefined) return {}
      return { id, limits: await api.get('/api/accounts/{id}/limits', { params: { id }, signal }) }
    },
    // Each reading is in the audit: coming back to the window must not add one.
    refetchOnWindowFocus: false,
  })

/** Sets limits of an account as a new version. What is left out is not limited. */
export const useSetLimits = (accountId: string) =>
  useOfficeAct(
    (body: SetAccountLimitsRequest, how) =>
      api.put('/api/accounts/{id}/limits', { params: { id: accountId }, body, ...how }),
    ['accounts'],
  )
