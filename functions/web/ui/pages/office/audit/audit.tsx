import { useInfiniteQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { auditFileAddress, auditQuery } from '../../../data/audit.ts'
import { FileLink } from '../../../panels/file-link.tsx'
import { Button } from '../../../parts/button.tsx'
import { More } from '../../../parts/more.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel, PlainPanel } from '../../../parts/panel.tsx'
import { useIsNarrow } from '../../../parts/use-is-narrow.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './audit.module.css'
import { texts } from './audit.texts.ts'
import { AuditEntries } from './entries.tsx'
import { AuditFilterForm } from './filter-form.tsx'
import { askedOf, readFilters, searchOf, type ShownAudit } from './filters.ts'

/** Who did what, to whom, when and from where. The filters are in the address. */
export default function Audit() {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const isNarrow = useIsNarrow()
  const filters = readFilters(search)
  const asked = askedOf(filters)
  const list = useInfiniteQuery(auditQuery(asked))
  const show = (next: Partial<ShownAudit>): void => setSearch(searchOf(next))
  const { data, error, isPending, isFetching, dataUpdatedAt, refetch } = list
  // An empty page may be followed by others, so emptiness is decided here.
  const query = { data: data && { items: data }, error, isPending, isFetching, dataUpdatedAt, refetch }
  const file = (
    <FileLink className={styles.file} href={auditFileAddress(asked)}>
      {said.csv}
    </FileLink>
  )
  return (
    <Page title={said.title}>
      <p>{said.hint}</p>
      <PlainPanel>
        <details open={!isNarrow || search.size > 0}>
          <summary className={styles.summary}>{said.filters}</summary>
          <AuditFilterForm key={search.toString()} filters={filters} onShow={show} />
        </details>
      </PlainPanel>
      <Panel title={said.entries} actions={file} query={query} starts="audit" rows={8}>
        {({ items }) => (
          <>
            <p className={styles.soft}>{said.csvHint}</p>
            {items.length > 0 ? (
              <AuditEntries entries={items} />
            ) : (
              <p className={styles.soft}>{list.hasNextPage ? said.noneYet : said.none}</p>
            )}
            <div className={styles.buttons}>
              <More list={list} word={said.older} />
              {search.size > 0 && <Button onClick={() => show({})}>{said.clear}</Button>}
            </div>
          </>
        )}
      </Panel>
    </Page>
  )
}
