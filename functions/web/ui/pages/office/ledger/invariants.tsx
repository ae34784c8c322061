import { useQuery } from '@tanstack/react-query'
import {
  invariantsQuery,
  useProveLedger,
  verificationQuery,
  type Invariant,
  type Verification,
} from '../../../data/ledger.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { texts as officeTexts } from '../office.texts.ts'
import styles from './ledger.module.css'
import { texts } from './ledger.texts.ts'

type CheckName = Exclude<keyof Verification, 'ok' | 'open_stops'>

/** The invariants, the checks behind them, and the button that has all books checked now. */
export function Invariants() {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const language = useLanguage()
  const invariants = useQuery(invariantsQuery(useAttention()))
  const verification = useQuery(verificationQuery())
  const proof = useProveLedger()
  const prove = (
    <Button look="primary" disabled={proof.isPending} onClick={() => proof.mutate()}>
      {said.prove}
    </Button>
  )
  return (
    <Panel title={said.invariants} actions={prove} query={invariants} starts="ledger-checks">
      {({ items }) => (
        <>
          <div role="status">
            {proof.isPending && <p>{said.proving}</p>}
            {proof.isSuccess && invariants.isSuccess && (
              <Outcome isRight={items.every(({ ok }) => ok === true)} />
            )}
          </div>
          <ProblemNote problem={proof.error} />
          <DataList
            label={said.invariants}
            rows={items}
            keyOf={({ id }) => id}
            columns={[
              { title: said.id, cell: ({ id }) => <Named {...office.invariants[id]} /> },
              { title: said.state, cell: ({ ok }) => <State ok={ok} /> },
              { title: said.checkedAt, cell: ({ checked_at: at }) => <CheckedAt at={at} /> },
              { title: said.count, align: 'end', cell: ({ count }) => formatNumber(language, count) },
            ]}
          />
          <p className={styles.soft}>{said.others}</p>
          {verification.data && <Checks found={verification.data} />}
        </>
      )}
    </Panel>
  )
}

function Named({ name, says }: { name: string; says: string }) {
  return (
    <>
      {name} <span className={styles.says}>{says}</span>
    </>
  )
}

function Outcome({ isRight }: { isRight: boolean }) {
  const said = useTexts(texts)
  return <Status kind={isRight ? 'good' : 'bad'} word={isRight ? said.proven : said.notProven} />
}

function State({ ok }: Pick<Invariant, 'ok'>) {
  const said = useTexts(texts)
  if (ok === null) return <Status kind="neutral" word={said.unchecked} />
  return <Status kind={ok ? 'good' : 'bad'} word={ok ? said.ok : said.broken} />
}

const CheckedAt = ({ at }: { at: string | null }) => (at === null ? '–' : <Moment at={at} />)

/** Each check; folded, unless one has found something. */
function Checks({ found }: { found: Verification }) {
  const said = useTexts(texts)
  const names = Object.keys(said.checkNames) as CheckName[]
  return (
    <details open={found.ok === false}>
      <summary className={styles.summary}>{said.checks}</summary>
      <DataList
        label={said.checks}
        rows={names.map((name) => ({ name, ...found[name] }))}
        keyOf={({ name }) => name}
        columns={[
          { title: said.check, cell: ({ name }) => said.checkNames[name] },
          { title: said.state, cell: ({ ok }) => <State ok={ok} /> },
          { title: said.checkedAt, cell: ({ checked_at: at }) => <CheckedAt at={at} /> },
          { title: said.figures, cell: ({ figures }) => <Figures figures={figures} /> },
        ]}
      />
    </details>
  )
}

/** The figures that are numbers, in words. */
function Figures({ figures }: { figures: Record<string, unknown> }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const shown = Object.entries(figures).flatMap(([name, value]) => {
    const word = said.figureNames[name]
    const count = Array.isArray(value) ? value.length : value
    return word && typeof count === 'number' ? [`${formatNumber(language, count)} ${word}`] : []
  })
  return shown.join(', ') || '–'
}
