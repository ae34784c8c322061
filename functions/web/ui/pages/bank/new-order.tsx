import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { accountsQuery, likelyAccount, type Account } from '../../data/accounts.ts'
import { KeyTooOldError } from '../../data/kept-act.ts'
import { isOutcomeOpen } from '../../data/open-outcome.ts'
import {
  isUnansweredOrder,
  useCreateOrder,
  useDraftOrder,
  type OrderDraft,
  type Schedule,
} from '../../data/orders.ts'
import { OtherCurrencyError } from '../../data/payees.ts'
import { useSession } from '../../data/session.ts'
import { formatMoney } from '../../money/money.ts'
import { AccountChoice } from '../../parts/account-choice.tsx'
import { AmountField, useReadAmount } from '../../parts/amount-field.tsx'
import { Button } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Choice, Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel, PlainPanel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { faultOf, shownProblem } from '../../parts/problem.ts'
import { useFocusReturn } from '../../parts/use-focus-return.ts'
import { useIsOnline } from '../../parts/use-is-online.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { localeOf } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { shownZone } from '../../texts/zone.ts'
import { texts } from './new-order.texts.ts'
import { useRuleWords } from './order-rule.ts'
import styles from './orders.module.css'
import { texts as orderTexts } from './orders.texts.ts'

type Every = 'once' | 'day' | 'week' | 'month'
type Values = Record<string, string>

/** Takes a payment order, and shows its next dates before anything is saved. */
export default function NewOrder() {
  const said = useTexts(texts)
  const accounts = useQuery(accountsQuery())
  const asked = useDraftOrder()
  const [draft, setDraft] = useEntered<OrderDraft | undefined>('draft', undefined)
  // What was entered stays in the fields while the dates are shown.
  return (
    <Page title={said.title} width="narrow">
      <div hidden={draft !== undefined}>
        <Panel query={accounts} rows={6} starts="accounts">
          {(list) => {
            const open = list.filter(({ status }) => status === 'open')
            if (open.length === 0) return <p>{said.noAccount}</p>
            return <OrderForm accounts={open} asked={asked} show={setDraft} />
          }}
        </Panel>
      </div>
      {draft && <Review draft={draft} edit={() => setDraft(undefined)} />}
    </Page>
  )
}

function OrderForm({
  accounts,
  asked,
  show,
}: {
  accounts: readonly Account[]
  asked: ReturnType<typeof useDraftOrder>
  show: (draft: OrderDraft) => void
}) {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  // Chosen once: another account must not take its place because money has moved meanwhile.
  const [accountId, setAccountId] = useEntered('account', () => likelyAccount(accounts)!.id)
  const [every, setEvery] = useEntered<Every>('every', 'month')
  const [fault, setFault] = useState<unknown>()
  const { id, currency } = accounts.find((account) => account.id === accountId) ?? accounts[0]!
  const ask = (values: Values): void => {
    const typed = readAmount(values.amount ?? '', currency)
    if ('message' in typed) return setFault(faultOf('/amount', typed.message))
    setFault(undefined)
    const order = {
      ...{ accountId: id, currency, amount: typed.amount },
      payee: (values.payee ?? '').trim(),
      description: (values.description ?? '').trim(),
      schedule: scheduleOf(every, values),
    }
    asked.mutate(order, { onSuccess: show })
  }
  // One object for each refusal: another one would take the focus again, at each key.
  const refusal = useMemo(() => ofPayee(asked.error, said.noPayee, said.payeeCurrency), [asked.error, said])
  return (
    <Form name="order" problem={fault ?? refusal} onSubmit={ask}>
      <AccountChoice
        name="account_id"
        label={said.from}
        accounts={accounts}
        value={id}
        onChoose={setAccountId}
      />
      <Field name="payee" label={said.payee} hint={said.payeeHint} required autoComplete="off" dir="ltr" />
      <AmountField name="amount" label={said.amount} currency={currency} required />
      <Field name="description" label={said.description} maxLength={140} dir="auto" />
      <Choice
        name="every"
        label={said.every}
        value={every}
        onChange={({ currentTarget }) => setEvery(currentTarget.value as Every)}
        options={(['month', 'week', 'day', 'once'] as const).map((value) => ({
          value,
          text: said.everyOptions[value],
        }))}
      />
      <When every={every} />
      <Button type="submit" look="primary" disabled={asked.isPending}>
        {said.show}
      </Button>
    </Form>
  )
}

/** What the bank says of the payee belongs to the one field for them. */
function ofPayee(error: unknown, message: string, inOther: (currency: string) => string): unknown {
  if (error instanceof OtherCurrencyError) return faultOf('/payee', inOther(error.currency))
  const { code, errors } = shownProblem(error)
  const isOfPayee =
    code === 'payee-not-found' || errors.some(({ path }) => path === '/number' || path === '/email')
  return isOfPayee ? faultOf('/payee', message) : error
}

function When({ every }: { every: Every }) {
  const [said, { weekdays }] = [useTexts(texts), useTexts(orderTexts)]
  if (every === 'once')
    return <Field name="schedule.run_at" label={said.runAt} type="datetime-local" required />
  return (
    <>
      {every === 'week' && (
        <Choice
          name="schedule.on"
          label={said.weekday}
          options={Object.entries(weekdays).map(([value, text]) => ({ value, text }))}
        />
      )}
      {every === 'month' && (
        <Field
          name="schedule.on"
          label={said.day}
          hint={said.dayHint}
          inputMode="numeric"
          pattern="[0-9]{1,2}"
          defaultValue="1"
          required
        />
      )}
      <Field name="schedule.at" label={said.at} type="time" defaultValue="09:00" required />
      <Field name="schedule.from" label={said.start} type="date" />
      <Field name="schedule.until" label={said.until} type="date" />
    </>
  )
}

const readersZone = (): string =>
  shownZone() === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone

/** Returns the schedule that was entered, on the clocks of the reader. */
function scheduleOf(every: Every, values: Values): Schedule {
  const value = (name: string): string => values[`schedule.${name}`] ?? ''
  if (every === 'once') {
    const at = new Date(value('run_at') + (shownZone() === 'utc' ? 'Z' : ''))
    // The bank says what is wrong with it.
    return { run_at: Number.isNaN(at.getTime()) ? value('run_at') : at.toISOString() }
  }
  return {
    every,
    ...(every !== 'day' && { on: Number(value('on')) }),
    at: value('at').slice(0, 5),
    time_zone: readersZone(),
    ...(value('from') !== '' && { from: value('from') }),
    ...(value('until') !== '' && { until: value('until') }),
  }
}

function Review({ draft, edit }: { draft: OrderDraft; edit: () => void }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const rule = useRuleWords()
  const isOnline = useIsOnline()
  const create = useCreateOrder()
  const isTooOld = create.error instanceof KeyTooOldError
  const { user_id: owner } = useSession()
  const [isOpen, setOpen] = useEntered('unanswered', () => isUnansweredOrder(owner, draft.key))
  const part = useFocusReturn<HTMLDivElement>()
  useEffect(() => part.current?.focus(), [part])
  const [, navigate] = useLocation()
  const { body, payee, preview } = draft
  const amount = formatMoney(String(body.amount), body.currency ?? 'USD', { locale: localeOf(language) })
  const zone = preview.schedule.time_zone ?? readersZone()
  return (
    <PlainPanel title={said.review}>
      <div ref={part} tabIndex={-1} className={styles.step}>
        <dl className={styles.review}>
          <dt>{said.payee}</dt>
          <dd>
            <bdi>{payee.name}</bdi>
          </dd>
          <dt>{said.amount}</dt>
          <dd>{amount}</dd>
          <dt>{said.rule}</dt>
          <dd>{rule(preview.schedule)}</dd>
        </dl>
        <p>{said.dates(zone)}</p>
        <ol className={styles.dates} aria-label={said.dates(zone)}>
          {preview.dates.map(({ due_at: at }) => (
            <li key={at}>
              <time dateTime={at}>{formatIn(localeOf(language), zone, at)}</time>
            </li>
          ))}
        </ol>
        {preview.has_more && <p>{said.andMore}</p>}
        {isOpen && !isTooOld ? <p role="alert">{said.noAnswer}</p> : <ProblemNote problem={create.error} />}
        <div className={styles.actions}>
          {!isTooOld && (
            <Button
              look="primary"
              disabled={create.isPending || !isOnline}
              onClick={() =>
                create.mutate(draft, {
                  onSuccess: () => navigate('/orders'),
                  onError: (failure) => setOpen(isOutcomeOpen(failure, isOpen)),
                })
              }
            >
              {said.save(amount)}
            </Button>
          )}
          {/* What may be saved can't be changed: that would be another order. */}
          {(!isOpen || isTooOld) && (
            <Button disabled={create.isPending} onClick={edit}>
              {said.edit}
            </Button>
          )}
        </div>
      </div>
    </PlainPanel>
  )
}

/** Writes a moment on the clocks of a zone, with its weekday. */
const formatIn = (locale: string, timeZone: string, at: string): string =>
  new Intl.DateTimeFormat(locale, {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(at))
