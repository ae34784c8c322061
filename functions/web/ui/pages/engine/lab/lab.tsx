import { useQuery } from '@tanstack/react-query'
import { labQuery, labRunQuery, type Lab } from '../../../data/lab.ts'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Beside } from './beside.tsx'
import { BrokenNow } from './broken-now.tsx'
import styles from './lab.module.css'
import { texts } from './lab.texts.ts'
import { RunForm } from './run-form.tsx'

/** Breaks the bank under traffic: the faults, what is broken now, and beside it the invariants. */
export default function LabPage() {
  const said = useTexts(texts)
  const query = useQuery(labQuery())
  const { data: lab } = query
  if (!lab?.available)
    return (
      <Page title={said.title}>
        <p>{said.intro}</p>
        <Panel query={query} starts="lab">
          {({ why_not: why }) => (
            <>
              <p>{said.notHere}</p>
              {why && <p>{said.whyNot[why]}</p>}
              <p>
                <code>npm start</code>
              </p>
            </>
          )}
        </Panel>
      </Page>
    )
  return <Open lab={lab} query={query} />
}

function Open({ lab, query }: { lab: Lab; query: Parameters<typeof Panel<Lab>>[0]['query'] }) {
  const said = useTexts(texts)
  const id = lab.runs[0]?.id
  const running = useQuery({ ...labRunQuery(id ?? ''), enabled: id !== undefined })
  const { data: run } = running
  // What it says stands beside all else, so nothing is drawn before it is there.
  if (id !== undefined && !run)
    return (
      <Page title={said.title}>
        <p>{said.intro}</p>
        <Panel query={running} starts="lab">
          {() => null}
        </Panel>
      </Page>
    )
  return (
    <Page title={said.title}>
      <p>{said.intro}</p>
      <div className={styles.columns}>
        <Panel title={said.wanted} query={query} starts="lab">
          {() => <RunForm lab={lab} isBusy={run !== undefined && run.state !== 'ended'} />}
        </Panel>
        <BrokenNow run={run} />
        <Beside run={run} />
      </div>
    </Page>
  )
}
