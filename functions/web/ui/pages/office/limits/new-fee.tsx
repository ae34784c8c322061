import { useState } from 'react'
import { usePublishFee, useTryFee, type FeeTrial, type ProposedFee } from '../../../data/fees.ts'
import { isCurrency } from '../../../money/money.ts'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { boundsOf, isDay } from '../../../parts/days.ts'
import { useEntered } from '../../../parts/entered.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Choice, Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Money } from '../../../parts/money.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { faultOf } from '../../../parts/problem.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './limits.module.css'
import { texts } from './limits.texts.ts'

const types = ['transfer', 'deposit', 'withdrawal'] as const
const amounts = ['fixed', 'minimum', 'maximum'] as const

/** A fee is tried on last week's transactions first; then the same can be published. */
export function NewFee() {
  const said = useTexts(texts)
  const trial = useTryFee()
  const [proposed, setProposed] = useState<ProposedFee>()
  const [what, setWhat] = useEntered<'charge' | 'end'>('what', 'charge')
  const isFree = what === 'end'
  const [currency, setCurrency] = useEntered('currency', 'USD')
  const [fault, setFault] = useState<ReturnType<typeof faultOf>>()
  const proposalOf = useProposal()
  const isTried = trial.isSuccess && proposed !== undefined
  return (
    <PlainPanel title={said.newFee}>
      <p className={styles.soft}>{said.newFeeHint}</p>
      <Form
        name="fee"
        problem={fault ?? trial.error}
        onSubmit={(values) => {
          const fee = proposalOf(values)
          setFault('errors' in fee ? fee : undefined)
          if ('errors' in fee) return
          setProposed(fee)
          trial.mutate(fee)
        }}
      >
        {/* What is changed has to be tried anew. */}
        <div
          className={styles.fields}
          onChange={() => {
            setProposed(undefined)
            setFault(undefined)
            trial.reset()
          }}
        >
          <Field
            name="currency"
            label={said.currency}
            defaultValue="USD"
            required
            maxLength={3}
            autoComplete="off"
            onChange={({ currentTarget }) => setCurrency(knownCurrency(currentTarget.value) ?? currency)}
          />
          <Choice
            name="type"
            label={said.type}
            options={types.map((value) => ({ value, text: said.types[value] }))}
          />
          <Choice
            name="what"
            label={said.what}
            options={[
              { value: 'charge', text: said.charge },
              { value: 'end', text: said.end },
            ]}
            value={what}
            onChange={({ currentTarget }) => setWhat(currentTarget.value === 'end' ? 'end' : 'charge')}
          />
          {!isFree && (
            <Field name="rules.percent" label={said.percent} inputMode="decimal" autoComplete="off" />
          )}
          {!isFree &&
            amounts.map((name) => (
              <AmountField
                key={name}
                name={`rules.${name}`}
                label={said[name]}
                currency={currency}
                takesZero
              />
            ))}
        </div>
        <div className={styles.buttons}>
          <Button type="submit" disabled={trial.isPending}>
            {said.tryOut}
          </Button>
        </div>
      </Form>
      {isTried && <Tried trial={trial.data} currency={proposed.currency} />}
      {isTried && <Publish fee={proposed} />}
    </PlainPanel>
  )
}

const knownCurrency = (typed: string): string | undefined => [typed.trim().toUpperCase()].find(isCurrency)

/** Returns a function that makes a fee of the typed values, or else returns their first fault. */
function useProposal(): (values: Record<string, string>) => ProposedFee | ReturnType<typeof faultOf> {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  return ({ currency: typed = '', type, what, ...rules }) => {
    const currency = knownCurrency(typed)
    if (currency === undefined) return faultOf('/currency', said.noCurrency)
    const fee = { currency, type: types.find((each) => each === type) ?? 'transfer' }
    if (what === 'end') return { ...fee, rules: null }
    // The bank checks the percentage, and takes no comma.
    const percent = (rules['rules.percent'] ?? '').trim().replace(',', '.')
    const given: NonNullable<ProposedFee['rules']> = percent ? { percent } : {}
    for (const name of amounts) {
      const text = (rules[`rules.${name}`] ?? '').trim()
      if (text === '') continue
      const read = readAmount(text, currency, { takesZero: true })
      if ('message' in read) return faultOf(`/rules/${name}`, read.message)
      given[name] = read.amount
    }
    return { ...fee, rules: given }
  }
}

function Tried({ trial, currency }: { trial: FeeTrial; currency: string }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const money = (amount: string) => <Money amount={amount} currency={currency} />
  return (
    <section aria-label={said.trial} role="status">
      <h3>{said.trial}</h3>
      <Facts
        facts={[
          [said.transactions, formatNumber(language, trial.transactions)],
          [said.amount, money(trial.amount)],
          [said.before, money(trial.fees)],
          [said.after, money(trial.proposed_fees)],
          [said.highest, money(trial.proposed_max)],
        ]}
      />
      {!trial.is_complete && <p>{said.incomplete}</p>}
    </section>
  )
}

function Publish({ fee }: { fee: ProposedFee }) {
  const said = useTexts(texts)
  const publish = usePublishFee()
  return (
    <Form
      name="publish"
      problem={publish.error}
      onSubmit={({ reason = '', valid_from: from = '' }) =>
        publish.mutate({
          ...fee,
          reason,
          ...(isDay(from) && { valid_from: boundsOf(from).begin.toISOString() }),
        })
      }
    >
      <div className={styles.fields}>
        <Field name="valid_from" label={said.from} type="date" />
        <Field name="reason" label={said.reason} required maxLength={500} autoComplete="off" />
      </div>
      <div className={styles.buttons}>
        <Button type="submit" look="primary" disabled={publish.isPending || publish.isSuccess}>
          {said.publish}
        </Button>
      </div>
      <p role="status">{publish.isSuccess && said.published(String(publish.data.version))}</p>
    </Form>
  )
}
