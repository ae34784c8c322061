import { Link } from 'wouter'
import type { AuditEntry } from '../../../data/audit.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './audit.module.css'
import { texts } from './audit.texts.ts'
import { searchOf } from './filters.ts'

const kindOf = (outcome: string): StatusKind => {
  if (outcome === 'rejected') return 'warn'
  return outcome === 'read' || outcome === 'session-ended' ? 'neutral' : 'good'
}

/** Entries of the audit. */
export function AuditEntries({ entries }: { entries: readonly AuditEntry[] }) {
  const said = useTexts(texts)
  return (
    <DataList
      label={said.entries}
      rows={entries}
      keyOf={({ id }) => id}
      columns={[
        { title: said.when, cell: ({ at }) => <Moment at={at} /> },
        { title: said.who, cell: (entry) => <Who entry={entry} /> },
        { title: said.what, cell: (entry) => <What entry={entry} /> },
        { title: said.whom, cell: (entry) => <Whom entry={entry} /> },
        { title: said.address, cell: ({ address }) => address ?? said.unknown },
        {
          title: said.outcome,
          cell: ({ outcome }) => <Status kind={kindOf(outcome)} word={said.outcomes[outcome] ?? outcome} />,
        },
      ]}
    />
  )
}

/** Who did it. Their role leads to all that they did. */
function Who({ entry: { caller_id: id, caller_role: role, via } }: { entry: AuditEntry }) {
  const said = useTexts(texts)
  if (id === null) return said.nobody
  return (
    <span className={styles.pair}>
      <Link href={`/office/audit?${String(searchOf({ caller: id }))}`}>
        {(role && said.roles[role]) ?? said.somebody}
      </Link>
      <Id value={id} />
      {via && <span className={styles.soft}>{said.via(via)}</span>}
    </span>
  )
}

function What({ entry: { operation, route, details, trace_id: traceId } }: { entry: AuditEntry }) {
  const said = useTexts(texts)
  return (
    <div className={styles.what}>
      <span>{operation}</span>
      {route !== null && <code className={styles.soft}>{route}</code>}
      {(details !== null || traceId !== null) && (
        <details>
          <summary>{said.details}</summary>
          {details !== null && <code className={styles.json}>{JSON.stringify(details)}</code>}
          {traceId !== null && (
            <p className={styles.soft}>
              {said.trace} <Id value={traceId} />
            </p>
          )}
        </details>
      )}
    </div>
  )
}

/** What it was about, and whose that is. */
function Whom({ entry: { subject, owner_id: ownerId } }: { entry: AuditEntry }) {
  const said = useTexts(texts)
  if (subject === null && ownerId === null) return '–'
  return (
    <span className={styles.pair}>
      {subject !== null && <Id value={subject} />}
      {ownerId !== null && ownerId !== subject && (
        <span className={styles.soft}>
          {said.of} <Id value={ownerId} />
        </span>
      )}
    </span>
  )
}
