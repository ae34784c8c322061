import type { BankPicture, PicturedFunction, PicturedTrigger } from '../../../data/platform.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { useStateWords } from './function-chip.tsx'
import { texts } from './map.texts.ts'
import styles from './picture-table.module.css'

export const KINDS: Record<PicturedFunction['state'], StatusKind> = {
  ...{ zero: 'neutral', starting: 'cold', ready: 'good', busy: 'good', failing: 'bad' },
}

/** The same as the map, as tables: to search, to read aloud, and for small windows. */
export function PictureTable({ bank, select }: { bank: BankPicture; select: (name: string) => void }) {
  const said = useTexts(texts)
  const words = useStateWords()
  const link = ({ name }: PicturedFunction) => (
    <button type="button" className={styles.name} onClick={() => select(name)}>
      {name}
    </button>
  )
  const known = (value: number | null): string => (value === null ? said.unknown : String(value))
  return (
    <div className={styles.tables}>
      <h2>{said.functions}</h2>
      <DataList
        label={said.functions}
        rows={bank.functions}
        keyOf={({ name }) => name}
        item={(row) => (
          <div className={styles.item}>
            {link(row)}
            <Status kind={KINDS[row.state]} word={words(row)} />
          </div>
        )}
        columns={[
          { title: said.name, cell: link },
          { title: said.context, cell: ({ context }) => context },
          { title: said.state, cell: (row) => <Status kind={KINDS[row.state]} word={words(row)} /> },
          { title: said.processes, cell: ({ processes }) => processes, align: 'end' },
          { title: said.inFlight, cell: ({ in_flight: count }) => known(count), align: 'end' },
          { title: said.heldTitle, cell: ({ held }) => known(held), align: 'end' },
          { title: said.coldStarts, cell: ({ cold_starts: count }) => known(count), align: 'end' },
          { title: said.lastStart, cell: (row) => lastStart(row, said.ms), align: 'end' },
        ]}
      />
      <h2>{said.triggers}</h2>
      <DataList
        label={said.triggers}
        rows={bank.triggers}
        keyOf={({ name }) => name}
        columns={[
          { title: said.trigger, cell: ({ name }) => name },
          { title: said.filter, cell: filterOf },
          { title: said.consumer, cell: ({ subscriber }) => subscriber ?? said.unknown },
          {
            title: said.state,
            cell: ({ ready, reason }) => (
              <Status kind={ready ? 'good' : 'bad'} word={reason ?? said.states.ready} />
            ),
          },
          { title: said.backlog, cell: ({ backlog }) => known(backlog), align: 'end' },
          { title: said.delivered, cell: ({ delivered }) => known(delivered), align: 'end' },
          { title: said.dead, cell: ({ dead_letters: dead }) => known(dead), align: 'end' },
        ]}
      />
    </div>
  )
}

const lastStart = ({ last_start: start }: PicturedFunction, ms: (text: string) => string): string =>
  start?.total_ms ? ms(String(Math.round(start.total_ms))) : '–'

const filterOf = ({ filter }: PicturedTrigger): string =>
  filter.map(({ attribute, value }) => (attribute === 'type' ? value : `${attribute}=${value}`)).join(', ')
