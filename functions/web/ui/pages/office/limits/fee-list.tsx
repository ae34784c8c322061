import { useQuery } from '@tanstack/react-query'
import { feesQuery, type Fee } from '../../../data/fees.ts'
import { DataList } from '../../../parts/data-list.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatDecimal } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { texts } from './limits.texts.ts'

/** The fees in force and to come. */
export function FeeList() {
  const said = useTexts(texts)
  const fees = useQuery(feesQuery())
  return (
    <Panel title={said.fees} query={fees} starts="fees" empty={{ text: said.noFees }}>
      {(list) => (
        <DataList
          label={said.fees}
          rows={list}
          keyOf={({ version, currency, type }) => `${currency} ${type} ${version}`}
          columns={[
            { title: said.currency, cell: ({ currency }) => currency },
            { title: said.type, cell: ({ type }) => said.types[type] },
            { title: said.fee, cell: (fee) => <Rules fee={fee} /> },
            { title: said.since, cell: ({ valid_from: at }) => <Moment at={at} /> },
            { title: said.version, align: 'end', cell: ({ version }) => version },
            { title: said.reason, cell: ({ reason }) => <bdi>{reason ?? '–'}</bdi> },
          ]}
        />
      )}
    </Panel>
  )
}

function Rules({ fee: { rules, currency } }: { fee: Fee }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const moneyText = useMoneyText()
  if (rules === null) return said.free
  const { fixed, percent, minimum, maximum, tiers } = rules
  return [
    `${moneyText(fixed, currency)} + ${formatDecimal(language, percent)}\u00a0%`,
    ...(minimum === null ? [] : [said.least(moneyText(minimum, currency))]),
    ...(maximum === null ? [] : [said.most(moneyText(maximum, currency))]),
    ...(tiers.length === 0 ? [] : [said.tiers(String(tiers.length))]),
  ].join(', ')
}
