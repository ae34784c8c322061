import { useInfiniteQuery } from '@tanstack/react-query'
import { auditQuery, type AskedAudit } from '../../data/audit.ts'
import { ButtonLink } from '../../parts/button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { AuditEntries } from './audit/entries.tsx'
import { searchOf } from './audit/filters.ts'
import styles from './office.module.css'
import { texts } from './office.texts.ts'

/** The newest entries of the audit about something, with the way to all of them. */
export function AuditPanel({
  title,
  asked,
}: {
  title: string
  asked: Pick<AskedAudit, 'owner' | 'subject'>
}) {
  const said = useTexts(texts)
  const list = useInfiniteQuery(auditQuery(asked))
  const { data, error, isPending, isFetching, dataUpdatedAt, refetch } = list
  // The first pages may be empty, and followed by others.
  const query = { data: data && { items: data }, error, isPending, isFetching, dataUpdatedAt, refetch }
  return (
    <Panel title={title} query={query} starts="audit" rows={6}>
      {({ items }) => (
        <>
          {items.length > 0 ? (
            <AuditEntries entries={items.slice(0, SHOWN)} />
          ) : (
            <p className={styles.note}>{said.noEntry}</p>
          )}
          <div className={styles.buttons}>
            <ButtonLink href={`/office/audit?${String(searchOf(asked))}`}>{said.allEntries}</ButtonLink>
          </div>
        </>
      )}
    </Panel>
  )
}

const SHOWN = 15
