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

/** The limits of an account in force, what they leave, and limits to come. */
export const limitsQuery = (accountId: string) =>
  queryOptions({
    queryKey: ['accounts', accountId, 'limits'],
    queryFn: ({ signal }) => api.get('/api/accounts/{id}/limits', { params: { id: accountId }, signal }),
  })

/** Sets limits of an account as a new version. What is left out is not limited. */
export const useSetLimits = (accountId: string) =>
  useOfficeAct(
    (body: SetAccountLimitsRequest, how) =>
      api.put('/api/accounts/{id}/limits', { params: { id: accountId }, body, ...how }),
    ['accounts'],
  )
