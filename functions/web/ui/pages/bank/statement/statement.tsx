import { useQuery } from '@tanstack/react-query'
import { useParams, useSearchParams } from 'wouter'
import { accountQuery } from '../../../data/account.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { drawnAt } from '../../../parts/days.ts'
import { Page } from '../../../parts/page.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Files } from './files.tsx'
import { PeriodForm } from './period-form.tsx'
import { readStatement, type ShownStatement } from './period.ts'
import styles from './statement.module.css'
import { texts } from './statement.texts.ts'
import { Sum } from './sum.tsx'

/** The statement of an account: its sums first, then the files. What it is about stands in the address. */
export default function StatementPage() {
  const { id = '' } = useParams<{ id: string }>()
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const { data: account } = useQuery(accountQuery(id))
  const shown = readStatement(search, drawnAt())
  const show = (next: Partial<ShownStatement>): void => setSearch({ ...shown, ...next }, { replace: true })
  const isReversed = shown.to < shown.from
  return (
    <Page title={said.title} actions={<ButtonLink href={`/accounts/${id}`}>{said.back}</ButtonLink>}>
      <p className={styles.account} dir="auto">
        {account && (account.name ?? said.types[account.account_type])}
      </p>
      {!isReversed && <Sum accountId={id} shown={shown} />}
      <PlainPanel title={said.period}>
        <PeriodForm key={search.toString()} shown={shown} onShow={show} />
        {isReversed && <p role="alert">{said.reversed}</p>}
      </PlainPanel>
      {!isReversed && <Files accountId={id} shown={shown} />}
    </Page>
  )
}
