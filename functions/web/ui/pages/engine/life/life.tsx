import { useQuery } from '@tanstack/react-query'
import { useParams } from 'wouter'
import { isDone, lifeQuery, type Life, type LifeStep } from '../../../data/life.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { formatNumber } from '../../../texts/formats.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { useLanguage } from '../../../texts/language.ts'
import { Cost } from './cost.tsx'
import { Hops } from './hops.tsx'
import styles from './life.module.css'
import { texts } from './life.texts.ts'
import { Proof } from './proof.tsx'
import { useClock } from './use-clock.ts'

/** What became of a transaction: where the time went, what it cost, and the proof. Opens before it is over. */
export default function LifeOfTransaction() {
  const said = useTexts(texts)
  const { id = '' } = useParams()
  const life = useQuery(lifeQuery(id))
  const { hops, proof, cost } = life.data ?? {}
  return (
    <Page title={said.title} actions={<ButtonLink href={`/transactions/${id}`}>{said.receipt}</ButtonLink>}>
      <Panel query={life} starts="life" rows={6}>
        {(found) => <Summary life={found} />}
      </Panel>
      {hops && hops.length > 0 && <Hops hops={hops} />}
      {proof && <Proof proof={proof} eventId={life.data?.event_id ?? null} />}
      {cost && <Cost cost={cost} />}
    </Page>
  )
}

const KINDS: Record<LifeStep['state'], StatusKind> = {
  done: 'good',
  waiting: 'cold',
  failed: 'bad',
  unknown: 'neutral',
}

function Summary({ life }: { life: Life }) {
  const said = useTexts(texts)
  const { clock } = useClock()
  const { steps, complete, traces } = life
  return (
    <>
      <p className={styles.sentence}>
        <Sentence life={life} />
      </p>
      {!complete && (
        <p className={styles.note} role="status">
          {isDone(life) ? said.comesIn : said.goesOn}
        </p>
      )}
      {complete && traces !== null && traces !== 'found' && (
        <p className={styles.note}>{said.traces[traces]}</p>
      )}
      <DataList
        label={said.steps}
        rows={steps}
        keyOf={({ step, detail }) => `${step} ${detail}`}
        columns={[
          {
            title: said.steps,
            cell: ({ step, detail }) => `${said.stepNames[step]}${detail === null ? '' : ` (${detail})`}`,
          },
          {
            title: said.outcome,
            cell: ({ state }) => <Status kind={KINDS[state]} word={said.states[state]} />,
          },
          { title: said.begins, cell: ({ at }) => (at === null ? '–' : clock(at)) },
        ]}
      />
    </>
  )
}

/** All of it in one sentence. What is not known is left out. */
function Sentence({ life }: { life: Life }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { ms } = useClock()
  const { summary, cost } = life
  if (!summary) return null
  const { total_ms: total, waking_ms: waking, woken, posting_ms: posting, told_ms: told, hops } = summary
  const parts = [
    waking ? said.waking(ms(waking), woken.join(', ')) : '',
    posting === null ? '' : said.posting(ms(posting)),
    told === null ? '' : said.telling(ms(told)),
  ].filter(Boolean)
  const begin = isDone(life) ? said.done(ms(total)) : said.soFar(ms(total))
  const counts = [
    hops === null
      ? ''
      : said.counts(formatNumber(language, hops), formatNumber(language, summary.retries ?? 0)),
    cost ? said.gbSeconds(cost.gb_seconds.toLocaleString(language, { maximumSignificantDigits: 2 })) : '',
  ].filter(Boolean)
  return (
    <>
      {parts.length > 0 ? `${begin}: ${parts.join(', ')}.` : `${begin}.`}
      {counts.length > 0 && ` ${counts.join(', ')}.`}
    </>
  )
}
