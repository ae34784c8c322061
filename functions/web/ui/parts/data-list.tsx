import type { ReactNode } from 'react'
import styles from './data-list.module.css'
import { useIsNarrow } from './use-is-narrow.ts'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ReactNode
  /** Figures stand at the end. */
  align?: 'end'
}

/** A table with the name `label`; under 720 px a list of its own markup, in which `item` draws a row. Without
 * `item`, each row shows all columns by name. */
export function DataList<Row>({
  label,
  rows,
  keyOf,
  columns,
  item,
}: {
  label: string
  rows: readonly Row[]
  keyOf: (row: Row) => string
  columns: readonly Column<Row>[]
  item?: (row: Row) => ReactNode
}) {
  if (useIsNarrow())
    return (
      <ul className={styles.list} aria-label={label}>
        {rows.map((row) => (
          <li key={keyOf(row)}>{item ? item(row) : <Described {...{ row, columns }} />}</li>
        ))}
      </ul>
    )
  return (
    <table className={styles.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ title, align }) => (
            <th key={title} scope="col" data-align={align}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, cell, align }) => (
              <td key={title} data-align={align}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Described<Row>({ row, columns }: { row: Row; columns: readonly Column<Row>[] }) {
  return (
    <dl className={styles.described}>
      {columns.map(({ title, cell }) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{cell(row)}</dd>
        </div>
      ))}
    </dl>
  )
}
