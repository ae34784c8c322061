import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { limitsQuery, useSetLimits, type Limits } from '../../../data/fees.ts'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Panel, PlainPanel } from '../../../parts/panel.tsx'
import { faultOf } from '../../../parts/problem.ts'
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
  const named = search.get('account')?.trim() ?? ''
  return (
    <>
      <PlainPanel title={said.account}>
        <Form
          key={named}
          name="account"
          onSubmit={({ account = '' }) => setSearch({ account: account.trim() })}
        >
          <Field
            name="account"
            label={said.accountId}
            defaultValue={named}
            maxLength={50}
            required
            autoComplete="off"
            spellCheck={false}
          />
          <div className={styles.buttons}>
            <Button type="submit">{said.show}</Button>
          </div>
        </Form>
      </PlainPanel>
      {named && <OfAccount key={named} named={named} />}
    </>
  )
}

function OfAccount({ named }: { named: string }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const moneyText = useMoneyText()
  const limits = useQuery(limitsQuery(named))
  const shown = (amount: string | null, left: string | null, currency: string): string => {
    if (amount === null) return said.unlimited
    return [
      moneyText(amount, currency),
      ...(left === null ? [] : [said.left(moneyText(left, currency))]),
    ].join(', ')
  }
  return (
    <Panel query={limits} starts="limits">
      {({ id, limits: now }) =>
        now ? (
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
        ) : (
          <p>{said.noAccount}</p>
        )
      }
    </Panel>
  )
}

function SetLimits({ id, now }: { id: string; now: Limits }) {
  const said = useTexts(texts)
  const set = useSetLimits(id)
  const readAmount = useReadAmount()
  const [fault, setFault] = useState<unknown>()
  const fields = [
    ['transaction_max', said.transactionMax],
    ['day_max', said.dayMax],
    ['month_max', said.monthMax],
  ] as const
  const submit = ({ time_zone: zone = '', reason = '', ...typed }: Record<string, string>): void => {
    const amounts: Partial<Record<(typeof fields)[number][0], string | null>> = {}
    for (const [name] of fields) {
      const text = typed[name]?.trim() ?? ''
      const read = text === '' ? { amount: null } : readAmount(text, now.currency, { takesZero: true })
      if ('message' in read) return setFault(faultOf(`/${name}`, read.message))
      amounts[name] = read.amount
    }
    setFault(undefined)
    set.mutate({ ...amounts, time_zone: zone.trim(), reason })
  }
  return (
    <Form name={`limits ${id}`} problem={fault ?? set.error} onSubmit={submit}>
      <h3>{said.newLimits}</h3>
      <div className={styles.fields}>
        {fields.map(([name, label]) => (
          <AmountField
            key={name}
            name={name}
            label={label}
            currency={now.currency}
            defaultAmount={now[name] ?? undefined}
            takesZero
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
