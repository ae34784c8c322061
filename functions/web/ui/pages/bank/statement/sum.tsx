import { useQuery } from '@tanstack/react-query'
import { statementQuery } from '../../../data/statements.ts'
import { drawnAt } from '../../../parts/days.ts'
import { Money } from '../../../parts/money.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatDay, formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { askedOf, type ShownStatement } from './period.ts'
import styles from './statement.module.css'
import { texts } from './statement.texts.ts'

/** Opening balance and entries make the closing balance. */
export function Sum({ accountId, shown }: { accountId: string; shown: ShownStatement }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  const statement = useQuery(statementQuery(accountId, askedOf(shown, drawnAt())))
  const dateOf = (day: string): string => formatDay(language, day)
  return (
    <Panel title={said.sum} query={statement} starts="statement" rows={4}>
      {({ currency, opening_balance, credits, debits, closing_balance }) => {
        const lines = [
          { word: said.opening, amount: opening_balance, isEntry: false },
          { word: said.credits(formatNumber(language, credits.count)), amount: credits.sum, isEntry: true },
          {
            word: said.debits(formatNumber(language, debits.count)),
            amount: `-${debits.sum}`,
            isEntry: true,
          },
          { word: said.closing, amount: closing_balance, isEntry: false },
        ]
        return (
          <>
            <p className={styles.hint}>
              {said.fromTo(dateOf(shown.from), dateOf(shown.to))}, {said[shown.basis]}
            </p>
            <dl className={styles.sum}>
              {lines.map(({ word, amount, isEntry }) => (
                <div key={word}>
                  <dt>{word}</dt>
                  <dd>
                    <Money amount={amount} currency={currency} signed={isEntry} />
                  </dd>
                </div>
              ))}
            </dl>
          </>
        )
      }}
    </Panel>
  )
}
