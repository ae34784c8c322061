import type { AccountChange } from '../../../data/customers.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts as officeTexts } from '../office.texts.ts'
import { texts } from './account.texts.ts'

/** Who changed the account, to what, and why. */
export function Changes({ changes }: { changes: readonly AccountChange[] }) {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const states: Readonly<Record<string, string>> = office.accountStates
  return (
    <DataList
      label={said.changes}
      rows={changes}
      keyOf={({ id }) => id}
      columns={[
        { title: said.when, cell: ({ timestamp: at }) => <Moment at={at} /> },
        {
          title: said.who,
          cell: ({ by, user_id: id }) =>
            by === 'owner' ? office.customer : id === null ? office.operator : <Id value={id} />,
        },
        {
          title: said.what,
          cell: ({ field, from, to }) =>
            field === 'status' ? said.fromTo(states[from] ?? from, states[to] ?? to) : said.limitTo(from, to),
        },
        { title: office.reason, cell: ({ reason }) => (reason === null ? '–' : <bdi>{reason}</bdi>) },
      ]}
    />
  )
}
