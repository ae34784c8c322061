import { useQuery } from '@tanstack/react-query'
import { useLocation, useSearchParams } from 'wouter'
import { useDemoTransfer } from '../../../data/demo-transfer.ts'
import { usePlatformStream } from '../../../data/platform-stream.ts'
import { pictureQuery, type BankPicture } from '../../../data/platform.ts'
import { Button } from '../../../parts/button.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { useIsNarrow } from '../../../parts/use-is-narrow.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { FunctionPanel } from './function-panel.tsx'
import styles from './map.module.css'
import { texts } from './map.texts.ts'
import { PictureMap } from './picture-map.tsx'
import { PictureTable } from './picture-table.tsx'
import { StateMark, states } from './state-mark.tsx'

/** What runs, as a map or as tables, live. The address says which, and which function is shown beside it. */
export default function EngineMap() {
  const said = useTexts(texts)
  const picture = useQuery(pictureQuery())
  const live = usePlatformStream()
  const isNarrow = useIsNarrow()
  const [search, setSearch] = useSearchParams()
  const set = (name: string, value: string | undefined): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === undefined) next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  const shown = search.get('function')
  const isTable = isNarrow || search.get('view') === 'table'
  const select = (name: string): void => set('function', name)
  return (
    <Page title={said.title} width="full" actions={<MakeTransfer />}>
      <Panel query={picture} rows={12} starts="platform">
        {(bank) => (
          <>
            <div className={styles.line}>
              <Summary bank={bank} />
              <div className={styles.choice} role="group" aria-label={said.view}>
                {!isNarrow &&
                  (['map', 'table'] as const).map((view) => (
                    <button
                      key={view}
                      type="button"
                      aria-pressed={isTable === (view === 'table')}
                      onClick={() => set('view', view === 'table' ? view : undefined)}
                    >
                      {said[view]}
                    </button>
                  ))}
              </div>
            </div>
            {live === 'away' && (
              <p className={styles.away} role="status">
                {said.away}
              </p>
            )}
            <div className={styles.picture} data-stale={live === 'away' || undefined}>
              {isTable ? <PictureTable {...{ bank, select }} /> : <PictureMap {...{ bank, select, shown }} />}
            </div>
            {!isTable && <Legend />}
            {bank.runtime === 'cluster' && <p className={styles.soft}>{said.onCluster}</p>}
            {shown !== null && (
              <FunctionPanel
                key={shown}
                name={shown}
                found={bank.functions.find(({ name }) => name === shown)}
                close={() => set('function', undefined)}
              />
            )}
          </>
        )}
      </Panel>
    </Page>
  )
}

/** How many functions run, in words: zero is no fault. */
function Summary({ bank: { functions } }: { bank: BankPicture }) {
  const said = useTexts(texts)
  const running = functions.filter(({ processes, name }) => processes > 0 && !OWN.includes(name)).length
  return <p>{running === 0 ? said.allAtZero : said.running(String(running), String(functions.length))}</p>
}

/** These run because somebody looks at this page. */
const OWN = ['front-door', 'platform', 'platform-stream', 'notification-stream', 'notifications', 'users']

function MakeTransfer() {
  const said = useTexts(texts)
  const [, navigate] = useLocation()
  const { mutate, isPending, error } = useDemoTransfer()
  return (
    <>
      <Button
        look="primary"
        disabled={isPending}
        title={said.transferHint}
        onClick={() => mutate(undefined, { onSuccess: (id) => navigate(`/engine/transfers/${id}`) })}
      >
        {isPending ? said.making : said.makeTransfer}
      </Button>
      {error && <ProblemNote problem={error} />}
    </>
  )
}

function Legend() {
  const said = useTexts(texts)
  return (
    <ul className={styles.legend} aria-label={said.legend}>
      {states.map((state) => (
        <li key={state}>
          <StateMark state={state} ms={600} /> {said.states[state]}
        </li>
      ))}
    </ul>
  )
}
