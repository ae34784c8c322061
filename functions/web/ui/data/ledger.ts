import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Invariant, LedgerStatus, Stop, Verification } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { useOfficeAct } from './office-act.ts'
import { useSentBy } from './session.ts'

export type { Invariant, Stop, Verification }
export type CurrencyStatus = LedgerStatus['items'][number]

/** Milliseconds between two readings while somebody looks. What is read has no customer's data, so it is not
 * in the audit. */
export const AGAIN_MS = 5_000

/** The invariants of the ledger, as the last checks have found them; live while they are watched. */
export const invariantsQuery = (isWatched: boolean) =>
  queryOptions({
    queryKey: ['ledger', 'invariants'],
    queryFn: ({ signal }) => api.get('/api/ledger/invariants', { signal }),
    refetchInterval: isWatched && AGAIN_MS,
  })

/** What each check has found. */
export const verificationQuery = () =>
  queryOptions({
    queryKey: ['ledger', 'verification'],
    queryFn: ({ signal }) => api.get('/api/ledger/verify', { signal }),
  })

/** Whether postings of each currency go on. */
export const ledgerStatusQuery = () =>
  queryOptions({
    queryKey: ['ledger', 'status'],
    queryFn: async ({ signal }) => (await api.get('/api/ledger/status', { signal })).items,
    // The frame asks at each page that is opened; a look at another window is no reason to wake a function.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  })

/** The stops that are open, or those that are lifted, the newest first, page by page. */
export const stopsQuery = (open: boolean) =>
  infiniteQueryOptions({
    queryKey: ['ledger', 'stops', open],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/ledger/stops', {
        query: { open, limit: 10, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
  })

/** Has all books checked now, in as many steps as it takes, while the page is open. It is over when what the
 * checks have found is read again. */
export function useProveLedger() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const isLeft = useRef(false)
  useEffect(() => {
    isLeft.current = false
    return () => void (isLeft.current = true)
  }, [])
  return useMutation({
    mutationFn: async () => {
      let run = await api.post('/api/ledger/verify', { body: {}, headers })
      for (let waitMs = 500; !run.is_complete && !isLeft.current; waitMs = Math.min(2 * waitMs, 8_000)) {
        // Another process may be at the check.
        await new Promise((resolve) => setTimeout(resolve, waitMs))
        run = await api.post('/api/ledger/verify', { body: { since: run.since }, headers })
      }
      return run
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['ledger'] }),
  })
}

/** Stops postings of a currency, or of all. */
export const useStopLedger = () =>
  useOfficeAct(
    (body: { currency?: string; reason: string }, how) => api.post('/api/ledger/stop', { body, ...how }),
    ['ledger'],
  )

/** Lifts a stop. */
export const useResumeLedger = () =>
  useOfficeAct(
    (body: { stop_id: string; reason: string }, how) => api.post('/api/ledger/resume', { body, ...how }),
    ['ledger'],
  )
