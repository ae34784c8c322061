import { Component, useEffect, useState, type ReactNode } from 'react'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import { formatMoment } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { Button } from './button.tsx'
import styles from './panel.module.css'
import { ProblemNote } from './problem-note.tsx'

/** What a panel needs of a query of TanStack Query. */
export interface PanelQuery<Data> {
  data: Data | undefined
  error: unknown
  isPending: boolean
  isFetching: boolean
  dataUpdatedAt: number
  refetch: () => unknown
}

interface PanelProps {
  title?: string
  /** What stands beside the title. */
  actions?: ReactNode
}

/** A part of a page that shows what a query brings: nothing for a moment, then a skeleton, then that the
 * function starts, then the data. After a failure it shows the problem, or what came before it. What stands
 * below comes into sight after it, so that nothing moves; but after three seconds in any case. */
export function Panel<Data>({
  title,
  actions,
  query,
  empty,
  rows = 3,
  starts,
  children,
}: PanelProps & {
  query: PanelQuery<Data>
  /** Shown for an empty list. */
  empty?: { text: string; action?: ReactNode }
  /** Height of the skeleton, in rows. */
  rows?: number
  /** The function that answers, by name. */
  starts?: string
  children: (data: NonNullable<Data>) => ReactNode
}) {
  return (
    <PlainPanel {...(title !== undefined && { title })} {...(actions !== undefined && { actions })}>
      <Content {...{ query, empty, rows, starts, children }} />
    </PlainPanel>
  )
}

/** A part of a page that waits for nothing. */
export function PlainPanel({ title, actions, children }: PanelProps & { children: ReactNode }) {
  return (
    <section className={styles.panel} {...(title !== undefined && { 'aria-label': title })}>
      {(title !== undefined || actions) && (
        <div className={styles.head}>
          {title !== undefined && <h2>{title}</h2>}
          {actions}
        </div>
      )}
      <PanelFailure>{children}</PanelFailure>
    </section>
  )
}

function Content<Data>({
  query,
  empty,
  rows,
  starts,
  children,
}: {
  query: PanelQuery<Data>
  empty: { text: string; action?: ReactNode } | undefined
  rows: number
  starts: string | undefined
  children: (data: NonNullable<Data>) => ReactNode
}) {
  const texts = useTexts(common)
  const language = useLanguage()
  const { data, error, refetch } = query
  const isThere = data !== undefined && data !== null
  // Also a problem, which goes as soon as it is tried again.
  const isSomething = isThere || Boolean(error)
  const [wasSomething, setWasSomething] = useState(isSomething)
  if (isSomething && !wasSomething) setWasSomething(true)
  if (!isThere) {
    if (!error) return <Waiting rows={rows} starts={starts} isFirst={!wasSomething} />
    const again = <Button onClick={() => void refetch()}>{texts.tryAgain}</Button>
    return <ProblemNote problem={error} action={again} />
  }
  const isEmpty = Array.isArray(data) && data.length === 0
  return (
    <>
      {Boolean(error) && (
        <p className={styles.stale} role="status">
          {texts.asOf(formatMoment(language, new Date(query.dataUpdatedAt)))}
        </p>
      )}
      {isEmpty && empty ? (
        <div className={styles.empty}>
          <p>{empty.text}</p>
          {empty.action}
        </div>
      ) : (
        children(data)
      )}
    </>
  )
}

/** How long each state lasts, in milliseconds: a flash of a skeleton is worse than none. */
const STATES = { skeleton: 150, starting: 400, slow: 3_000 } as const

/** `isFirst`: the panel has shown nothing yet. */
function Waiting({ rows, starts, isFirst }: { rows: number; starts: string | undefined; isFirst: boolean }) {
  const texts = useTexts(common)
  const [state, setState] = useState<'nothing' | keyof typeof STATES>('nothing')
  useEffect(() => {
    const names = Object.keys(STATES) as (keyof typeof STATES)[]
    const timers = names.map((name) => setTimeout(() => setState(name), STATES[name]))
    return () => timers.forEach(clearTimeout)
  }, [])
  const name = starts ?? texts.theFunction
  return (
    <div className={styles.waiting} aria-busy="true" data-state={state} data-first={isFirst || undefined}>
      <p className={styles.starting} role="status">
        {state === 'starting' && texts.starting(name)}
        {state === 'slow' && texts.startingSlowly(name)}
      </p>
      {Array.from({ length: rows }, (_row, n) => (
        <div key={n} className={styles.bone} />
      ))}
    </div>
  )
}

/** Keeps a failure of the code in one panel. */
class PanelFailure extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render(): ReactNode {
    return this.state.error === undefined ? this.props.children : <ProblemNote problem={this.state.error} />
  }
}
