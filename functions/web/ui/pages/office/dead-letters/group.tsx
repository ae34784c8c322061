import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import {
  deadLettersQuery,
  REDRIVEN_AT_ONCE,
  redriveQuery,
  useLetterOrder,
  type DeadLetterGroup,
  type LetterStatus,
} from '../../../data/dead-letters.ts'
import { Button } from '../../../parts/button.tsx'
import { Choice } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { More } from '../../../parts/more.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { addressOf } from './address.ts'
import styles from './dead-letters.module.css'
import { texts } from './dead-letters.texts.ts'
import { Letter } from './letter.tsx'
import { RedriveProgress } from './redrive-progress.tsx'

const KINDS: Record<LetterStatus, StatusKind> = { stored: 'bad', redriven: 'good', discarded: 'neutral' }

/** Letters with one cause. Open, it shows each of them, and what can be done with all. */
export function Group({
  group,
  status,
  isOpen,
}: {
  group: DeadLetterGroup
  status: LetterStatus
  isOpen: boolean
}) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { trigger, event_type: type, error, error_code: code, came_back: cameBack } = group
  return (
    <li className={styles.item}>
      <div className={styles.head}>
        <h3>
          <Link
            href={addressOf({ status, group: isOpen ? undefined : group.id })}
            aria-expanded={isOpen}
            replace
          >
            {trigger}: {type}
          </Link>
        </h3>
        <Status kind={KINDS[status]} word={said.letters[status](formatNumber(language, group[status]))} />
      </div>
      <p className={styles.text} dir="auto">
        {error ?? said.noAnswer} {code !== null && <code>{code}</code>}
      </p>
      <div className={styles.facts}>
        {group.dropped > 0 && <span>{said.dropped(formatNumber(language, group.dropped))}</span>}
        {cameBack > 0 && <Status kind="warn" word={said.cameBack(formatNumber(language, cameBack))} />}
        <span>
          {said.first} <Moment at={group.first_at} />
        </span>
        <span>
          {said.last} <Moment at={group.last_at} />
        </span>
      </div>
      {isOpen && (
        <>
          {status === 'stored' && <RedriveGroup group={group} />}
          <Letters group={group.id} status={status} />
        </>
      )}
    </li>
  )
}

const RATES = [1, 10, 50, 100] as const

/** Publishes all that wait again, as fast as the consumer can take them. */
function RedriveGroup({ group }: { group: DeadLetterGroup }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const order = useLetterOrder()
  if (group.redrive_id !== null) return <RunningRedrive id={group.redrive_id} />
  const options = RATES.map((rate) => ({
    value: String(rate),
    text: said.perSecond(formatNumber(language, rate)),
  }))
  return (
    <div className={styles.form}>
      <Form
        name={`redrive ${group.id}`}
        problem={order.error}
        onSubmit={({ per_second: rate }) =>
          order.mutate({ order: 'redrive-group', group: group.id, perSecond: Number(rate) })
        }
      >
        <Choice
          name="per_second"
          label={said.rate}
          hint={said.rateHint}
          options={options}
          defaultValue="10"
        />
        <Button type="submit" look="primary" disabled={order.isPending}>
          {group.stored > REDRIVEN_AT_ONCE
            ? said.redriveOldest(formatNumber(language, REDRIVEN_AT_ONCE))
            : said.redriveAll(formatNumber(language, group.stored))}
        </Button>
      </Form>
    </div>
  )
}

/** How far the redrive of a group is, where it was begun. */
function RunningRedrive({ id }: { id: string }) {
  const said = useTexts(texts)
  const { data: redrive } = useQuery(redriveQuery(id))
  return redrive ? <RedriveProgress redrive={redrive} /> : <p role="status">{said.redriveStatus.running}</p>
}

function Letters({ group, status }: { group: string; status: LetterStatus }) {
  const said = useTexts(texts)
  const list = useInfiniteQuery(deadLettersQuery(group, status))
  return (
    <div className={styles.inner}>
      <Panel
        query={{ ...list, data: list.data?.pages.flatMap(({ items }) => items) }}
        starts="dead-letters"
        empty={{ text: said.none[status] }}
      >
        {(letters) => (
          <>
            <ul className={styles.list} aria-label={said.title}>
              {letters.map((letter) => (
                <Letter key={letter.id} letter={letter} />
              ))}
            </ul>
            <More list={list} />
          </>
        )}
      </Panel>
    </div>
  )
}
