import { usePrefetchInfiniteQuery, usePrefetchQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { openHoldsQuery } from '../../data/account.ts'
import { entriesQuery, lineQuery } from '../../data/entries.ts'
import { askedOf, readFilters } from './filters.ts'

/** Asks for what the parts of an account's page show, while the account itself is still asked for: otherwise
 * one function would wake after another. */
export function useAskAtOnce(id: string): void {
  const [search] = useSearchParams()
  usePrefetchQuery(lineQuery(id))
  usePrefetchInfiniteQuery(entriesQuery(id, askedOf(readFilters(search))))
  usePrefetchQuery(openHoldsQuery(id))
}
