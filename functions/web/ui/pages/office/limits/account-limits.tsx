import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { limitsQuery, useSetLimits, type Limits } from '../../../data/fees.ts'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Panel, PlainPanel } from '../../../parts/panel.tsx'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatMoment } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './limits.module.css'
import { texts } from './limits.texts.ts'

/** The limits of one account, which the address names. */
export function AccountLimits() {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const id = search.get('account')?.trim() ?? ''
  return (
    <>
      <PlainPanel title={said.account}>
        <Form key={id} onSubmit={({ account = '' }) => setSearch({ account: account.trim() })}>
          <Field
            name="account"
            label={said.accountId}
            defaultValue={id}
            required
            autoComplete="off"
            spellCheck={false}
          />
          <div className={styles.buttons}>
            <Button type="submit">{said.show}</Button>
          </div>
        </Form>
      </PlainPanel>
      {id && <OfAccount key={id} id={id} />}
    </>
  )
}

function OfAccount({ id }: { id: string }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const moneyText = useMoneyText()
  const limits = useQuery(limitsQuery(id))
  const shown = (amount: string | null, left: string | null, currency: string): string => {
    if (amount === null) return said.unlimited
    return [
      moneyText(amount, currency),
      ...(left === null ? [] : [said.left(moneyText(left, currency))]),
    ].join(', ')
  }
  return (
    <Panel query={limits} starts="limits">
      {(now) => (
        <>
          <Facts
            facts={[
              [said.transactionMax, shown(now.transaction_max, null, now.currency)],
              [said.dayMax, shown(now.day_max, now.day_remaining, now.currency)],
              [said.monthMax, shown(now.month_max, now.month_remaining, now.currency)],
              [said.timeZone, now.time_zone ?? '–'],
            ]}
          />
          {now.coming.map((next) => (
            <section key={next.version}>
              <h3>{said.coming(formatMoment(language, new Date(next.valid_from)))}</h3>
              <Facts
                facts={[
                  [said.transactionMax, shown(next.transaction_max, null, now.currency)],
                  [said.dayMax, shown(next.day_max, null, now.currency)],
                  [said.monthMax, shown(next.month_max, null, now.currency)],
                ]}
              />
            </section>
          ))}
          <SetLimits id={id} now={now} />
        </>
      )}
    </Panel>
  )
}

function SetLimits({ id, now }: { id: string; now: Limits }) {
  const said = useTexts(texts)
  const set = useSetLimits(id)
  const fields = [
    ['transaction_max', said.transactionMax],
    ['day_max', said.dayMax],
    ['month_max', said.monthMax],
  ] as const
  return (
    <Form
      problem={set.error}
      onSubmit={({ time_zone: zone = '', reason = '', ...amounts }) =>
        set.mutate({
          ...Object.fromEntries(fields.map(([name]) => [name, amounts[name]?.trim() || null])),
          time_zone: zone.trim(),
          reason,
        })
      }
    >
      <h3>{said.newLimits}</h3>
      <div className={styles.fields}>
        {fields.map(([name, label]) => (
          <Field
            key={name}
            name={name}
            label={`${label} (${now.currency})`}
            defaultValue={now[name] ?? ''}
            inputMode="decimal"
            autoComplete="off"
          />
        ))}
        <Field
          name="time_zone"
          label={said.timeZone}
          defaultValue={now.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone}
          required
          autoComplete="off"
        />
        <Field name="reason" label={said.reason} required maxLength={500} autoComplete="off" />
      </div>
      <div className={styles.buttons}>
        <Button type="submit" disabled={set.isPending}>
          {said.setLimits}
        </Button>
      </div>
      <p role="status">{set.isSuccess && said.saved}</p>
    </Form>
  )
}
