import { Link } from 'wouter'
import type { Life } from '../../../data/life.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Id } from '../../../parts/id.tsx'
import { Money } from '../../../parts/money.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { texts } from './life.texts.ts'

/** That nothing was lost or doubled: the entries and their chain, and how often the event came and counted. */
export function Proof({ proof, eventId }: { proof: NonNullable<Life['proof']>; eventId: string | null }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const times = (count: number | null): string =>
    count === null ? said.states.unknown : said.times(formatNumber(language, count))
  const { currency, entries, sum, delivered, took_effect: tookEffect, dead_letters: letters } = proof
  const money = (amount: string) => <Money amount={amount} currency={currency} as="code" />
  return (
    <PlainPanel
      title={said.proof}
      actions={eventId !== null && <Link href={`/engine/events/${eventId}`}>{said.event}</Link>}
    >
      <Facts
        facts={[
          [said.sum, money(sum)],
          [said.delivered, times(delivered)],
          [said.tookEffect, times(tookEffect)],
          ...(letters && letters.length > 0
            ? [[said.deadLetters, formatNumber(language, letters.length)] as const]
            : []),
        ]}
      />
      {entries.length > 0 && (
        <DataList
          label={said.entries}
          rows={entries}
          keyOf={({ account_id: account, version }) => `${account} ${version}`}
          columns={[
            { title: said.account, cell: ({ account_id: account }) => <Id value={account} /> },
            {
              title: said.chain,
              cell: ({ is_chained: isChained }) => (
                <Status kind={isChained ? 'good' : 'bad'} word={isChained ? said.chained : said.broken} />
              ),
            },
            { title: said.version, align: 'end', cell: ({ version }) => formatNumber(language, version) },
            { title: said.amount, align: 'end', cell: ({ amount }) => money(amount) },
            {
              title: said.balanceAfter,
              align: 'end',
              cell: ({ balance_after: balance }) => money(balance),
            },
          ]}
        />
      )}
    </PlainPanel>
  )
}
