import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import type { Hold } from '../../data/account.ts'
import type { Account } from '../../data/accounts.ts'
import { entriesQuery, type Entry } from '../../data/entries.ts'
import { Button } from '../../parts/button.tsx'
import { More } from '../../parts/more.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { EntryDays } from './entry-days.tsx'
import { FilterForm } from './filter-form.tsx'
import { askedOf, hasFilters, readFilters, withFilters, type ShownFilters } from './filters.ts'
import { Reserved } from './reserved.tsx'

/** What is reserved, and below it the entries that match, by day. `holdActs` and `entryActs` are what can be
 * done with each. */
export function Entries({
  account,
  holdActs,
  entryActs,
}: {
  account: Account
  holdActs?: (hold: Hold) => ReactNode
  entryActs?: (entry: Entry, words: string) => ReactNode
}) {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const filters = readFilters(search)
  const isFiltered = hasFilters(filters)
  const entries = useInfiniteQuery(entriesQuery(account.id, askedOf(filters)))
  const show = (next: Partial<ShownFilters>): void =>
    setSearch((before) => withFilters(before, next), { replace: true })
  const { data, error, isPending, isFetching, dataUpdatedAt, refetch, hasNextPage } = entries
  const none = !isFiltered ? said.noEntries : hasNextPage ? said.noneMatchYet : said.noneMatch
  // An empty page may be followed by others, so emptiness is decided here. Whether the last entry of a page is a
  // fee is known only with the entry before it.
  const items = data && hasNextPage && data.length > 1 ? data.slice(0, -1) : data
  const query = { data: items && { items }, error, isPending, isFetching, dataUpdatedAt, refetch }
  return (
    <Panel title={said.entries} query={query} starts="entries" rows={6}>
      {({ items: shown }) => (
        <>
          <FilterForm key={search.toString()} filters={filters} onShow={show} />
          {!isFiltered && <Reserved accountId={account.id} acts={holdActs} />}
          {shown.length > 0 ? (
            <EntryDays entries={shown} acts={entryActs} />
          ) : (
            <p className={styles.none}>{none}</p>
          )}
          <div className={styles.buttons}>
            <More list={entries} word={said.older} />
            {isFiltered && <Button onClick={() => show({})}>{said.clear}</Button>}
          </div>
        </>
      )}
    </Panel>
  )
}
