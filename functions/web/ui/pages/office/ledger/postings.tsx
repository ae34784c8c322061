import { useQuery } from '@tanstack/react-query'
import { ledgerStatusQuery, useStopLedger, type CurrencyStatus } from '../../../data/ledger.ts'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Choice, Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { common } from '../../../texts/common.texts.ts'
import styles from './ledger.module.css'
import { texts } from './ledger.texts.ts'

/** Which currencies are posted, and the form that stops them. */
export function Postings() {
  const said = useTexts(texts)
  const status = useQuery(ledgerStatusQuery())
  const [isStopping, setStopping] = useEntered('stopping', false)
  const stop = (
    <Button look="danger" aria-expanded={isStopping} onClick={() => setStopping(!isStopping)}>
      {said.stop}
    </Button>
  )
  return (
    <Panel
      title={said.postings}
      actions={status.data?.length ? stop : undefined}
      query={status}
      starts="ledger-checks"
      empty={{ text: said.noCurrencies }}
    >
      {(items) => (
        <>
          {isStopping && <StopForm items={items} done={() => setStopping(false)} />}
          <DataList
            label={said.postings}
            rows={items}
            keyOf={({ currency }) => currency}
            columns={[
              { title: said.currency, cell: ({ currency }) => currency },
              {
                title: said.state,
                cell: ({ status: is }) => <Status kind={is === 'running' ? 'good' : 'bad'} word={said[is]} />,
              },
              { title: said.since, cell: ({ since }) => (since === null ? '–' : <Moment at={since} />) },
              { title: said.why, cell: ({ reason }) => (reason === null ? '–' : said.reasons[reason]) },
            ]}
          />
        </>
      )}
    </Panel>
  )
}

function StopForm({ items, done }: { items: readonly CurrencyStatus[]; done: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const stop = useStopLedger()
  const options = [
    ...items.map(({ currency }) => ({ value: currency, text: currency })),
    { value: '', text: said.all },
  ]
  return (
    <Form
      name="stop"
      problem={stop.error}
      onSubmit={({ currency, reason = '' }) =>
        stop.mutate({ reason, ...(currency && { currency }) }, { onSuccess: done })
      }
    >
      <p>{said.stopHint}</p>
      <div className={styles.fields}>
        <Choice name="currency" label={said.which} options={options} />
        <Field name="reason" label={said.reason} required maxLength={500} autoComplete="off" />
      </div>
      <div className={styles.buttons}>
        <Button type="submit" look="danger" disabled={stop.isPending}>
          {said.stopNow}
        </Button>
        <Button onClick={done}>{words.cancel}</Button>
      </div>
    </Form>
  )
}
