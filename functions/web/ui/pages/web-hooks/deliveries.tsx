import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAttention } from '../../data/use-attention.ts'
import {
  deliveriesOfHookQuery,
  useHookAct,
  type WebHook,
  type WebHookDelivery,
} from '../../data/web-hooks.ts'
import { Button } from '../../parts/button.tsx'
import { DataList } from '../../parts/data-list.tsx'
import { Moment } from '../../parts/moment.tsx'
import { More } from '../../parts/more.tsx'
import { Panel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../parts/status.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatMoment, formatNumber } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import styles from './web-hooks.module.css'
import { texts } from './web-hooks.texts.ts'

const KINDS: Record<WebHookDelivery['status'], StatusKind> = {
  pending: 'warn',
  delivered: 'good',
  failed: 'bad',
}

/** What was posted to a hook, read when somebody opens it. */
export function Deliveries({ hook }: { hook: WebHook }) {
  const said = useTexts(texts)
  const [isOpen, setOpen] = useState(false)
  return (
    <details className={styles.deliveries} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{said.deliveries}</summary>
      {isOpen && <DeliveryList hook={hook} />}
    </details>
  )
}

function DeliveryList({ hook: { id, status } }: { hook: WebHook }) {
  const said = useTexts(texts)
  const isThere = useAttention()
  const list = useInfiniteQuery(deliveriesOfHookQuery(id, isThere && status === 'active'))
  const act = useHookAct()
  return (
    <Panel
      query={{ ...list, data: list.data?.pages.flatMap(({ items }) => items) }}
      starts="web-hook-deliveries"
      empty={{ text: said.noDeliveries }}
    >
      {(deliveries) => (
        <>
          <ProblemNote problem={act.error} />
          <DataList
            label={said.deliveries}
            rows={deliveries}
            keyOf={(delivery) => delivery.id}
            columns={[
              { title: said.at, cell: ({ created_at: at }) => <Moment at={at} /> },
              { title: said.event, cell: ({ event_type: type }) => <code>{type}</code> },
              { title: said.state, cell: (delivery) => <State delivery={delivery} /> },
              { title: said.answer, cell: (delivery) => <Answer delivery={delivery} /> },
              {
                title: said.action,
                cell: (delivery) => (
                  <Button
                    aria-description={delivery.event_type}
                    disabled={act.isPending}
                    onClick={() => act.mutate({ act: 'repeat', id, delivery: delivery.id })}
                  >
                    {said.repeat}
                  </Button>
                ),
              },
            ]}
          />
          <More list={list} />
        </>
      )}
    </Panel>
  )
}

function State({ delivery: { status, attempts, next_attempt_at: next } }: { delivery: WebHookDelivery }) {
  const said = useTexts(texts)
  const language = useLanguage()
  return (
    <span className={styles.delivery}>
      <Status kind={KINDS[status]} word={said.deliveryStatus[status]} />
      {attempts > 0 && <span>{said.attempts(attempts)}</span>}
      {attempts > 0 && next !== null && <span>{said.next(formatMoment(language, new Date(next)))}</span>}
    </span>
  )
}

/** What the receiver answered last, in its own words. */
function Answer({ delivery: { last_attempt: last } }: { delivery: WebHookDelivery }) {
  const said = useTexts(texts)
  const language = useLanguage()
  if (last === null) return '–'
  return (
    <span className={styles.delivery}>
      <span>
        {last.http_status ?? said.noAnswer} {said.took(formatNumber(language, last.duration_ms))}
      </span>
      {last.error !== null && <bdi className={styles.answered}>{last.error}</bdi>}
      {last.answer !== '' && <bdi className={styles.answered}>{last.answer}</bdi>}
    </span>
  )
}
