import type { Life } from '../../../data/life.ts'
import { useEntered } from '../../../parts/entered.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Field } from '../../../parts/field.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatDecimal, formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './life.module.css'
import { texts } from './life.texts.ts'
import { useClock } from './use-clock.ts'

/** Reads a price as somebody types it; NaN if it is none. An estimate, not money of the bank. */
const priceOf = (typed: string): number => Number(typed.trim().replace(',', '.') || NaN)

/** What it cost, times prices that the reader types. */
export function Cost({ cost }: { cost: NonNullable<Life['cost']> }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { ms } = useClock()
  const [perGbSecond, setPerGbSecond] = useEntered('per-gb-second', () => formatDecimal(language, '0.000024'))
  const [perMillion, setPerMillion] = useEntered('per-million', () => formatDecimal(language, '0.40'))
  const price = 1e6 * cost.gb_seconds * priceOf(perGbSecond) + cost.requests * priceOf(perMillion)
  return (
    <PlainPanel title={said.cost}>
      <Facts
        facts={[
          [said.requests, formatNumber(language, cost.requests)],
          ['GB-s', cost.gb_seconds.toLocaleString(language, { maximumSignificantDigits: 3 })],
          [said.processTime, ms(cost.process_ms)],
          [said.coldShare, `${formatNumber(language, Math.round(cost.cold_share * 100))} %`],
        ]}
      />
      <div className={styles.prices}>
        <Field
          name="per-gb-second"
          label={said.perGbSecond}
          inputMode="decimal"
          value={perGbSecond}
          onChange={({ target }) => setPerGbSecond(target.value)}
        />
        <Field
          name="per-million"
          label={said.perMillion}
          inputMode="decimal"
          value={perMillion}
          onChange={({ target }) => setPerMillion(target.value)}
        />
        <p aria-live="polite">
          {said.asThisOne}:{' '}
          <strong>
            {Number.isNaN(price)
              ? '–'
              : `${price.toLocaleString(language, { maximumFractionDigits: 2 })}\u00a0USD`}
          </strong>
        </p>
      </div>
    </PlainPanel>
  )
}
