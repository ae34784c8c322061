import { Link } from 'wouter'
import { useLetterOrder, type DeadLetter } from '../../../data/dead-letters.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatMoment, formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'

/** One event that could not be processed: why, how often, its content, and what to do with it. */
export function Letter({ letter }: { letter: DeadLetter }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { event_id: event, came_back_at: cameBackAt, discarded_at: discardedAt } = letter
  return (
    <li className={styles.item}>
      <div className={styles.head}>
        <Link href={eventAddress(letter)} className={styles.id}>
          {said.event} <code>{event}</code>
        </Link>
        <Moment at={letter.last_at} />
      </div>
      <p className={styles.text} dir="auto">
        {letter.reason ?? letter.hint}
      </p>
      <div className={styles.facts}>
        <span>{said.deliveries(formatNumber(language, letter.deliveries))}</span>
        {cameBackAt !== null && (
          <Status kind="warn" word={said.cameBackAt(formatMoment(language, new Date(cameBackAt)))} />
        )}
        {letter.is_queued && <Status kind="cold" word={said.queued} />}
        {letter.status === 'discarded' && discardedAt !== null && (
          <span dir="auto">
            {said.discardedAt(formatMoment(language, new Date(discardedAt)))} {letter.discard_reason}
          </span>
        )}
      </div>
      <Content letter={letter} />
      <Actions letter={letter} />
    </li>
  )
}

/** Ids are unique per source; without one the page shows the ledger's. */
function eventAddress({ event_id: id, event }: DeadLetter): string {
  const { source } = event as { source?: unknown }
  const query =
    typeof source === 'string' && source !== '/microbank/ledger'
      ? `?source=${encodeURIComponent(source)}`
      : ''
  return `/engine/events/${encodeURIComponent(id)}${query}`
}

function Content({ letter }: { letter: DeadLetter }) {
  const said = useTexts(texts)
  return (
    <>
      <details className={styles.content}>
        <summary>{said.asJson}</summary>
        <pre>{JSON.stringify(letter.event, null, 2)}</pre>
      </details>
      <details className={styles.content}>
        <summary>{said.lastAnswer}</summary>
        <p>{said.answered(letter.destination, letter.error_code ?? '?')}</p>
        {letter.error_data && <pre>{letter.error_data}</pre>}
      </details>
    </>
  )
}

function Actions({ letter }: { letter: DeadLetter }) {
  const said = useTexts(texts)
  const [isDiscarding, setDiscarding] = useEntered(`discard ${letter.id}`, false)
  const order = useLetterOrder()
  // Many letters are on the page: a screen reader says which one a button is for.
  const about = { 'aria-description': letter.event_id }
  if (isDiscarding) return <Discard letter={letter} close={() => setDiscarding(false)} />
  return (
    <div className={styles.actions}>
      <Button
        onClick={() => order.mutate({ order: 'redrive', id: letter.id })}
        disabled={order.isPending}
        {...about}
      >
        {said.redrive}
      </Button>
      {letter.status === 'stored' && (
        <Button onClick={() => setDiscarding(true)} {...about}>
          {said.discard}
        </Button>
      )}
      <ProblemNote problem={order.error} />
    </div>
  )
}

/** Asks why nobody needs the event. Enter in the field does nothing: only its button discards a letter. */
function Discard({ letter, close }: { letter: DeadLetter; close: () => void }) {
  const said = useTexts(texts)
  const order = useLetterOrder()
  return (
    <div className={styles.form}>
      <Form
        name={`discard ${letter.id}`}
        problem={order.error}
        onSubmit={({ reason = '' }) => order.mutate({ order: 'discard', id: letter.id, reason })}
      >
        <p>{said.discardEffect}</p>
        <Field
          name="reason"
          label={said.reason}
          required
          maxLength={500}
          autoFocus
          dir="auto"
          onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
        />
        <div className={styles.actions}>
          <Button onClick={close}>{said.keep}</Button>
          <Button type="submit" look="danger" disabled={order.isPending}>
            {said.discardSure}
          </Button>
        </div>
      </Form>
    </div>
  )
}
