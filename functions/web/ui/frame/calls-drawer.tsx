import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Link } from 'wouter'
import { callsNow, clearCalls, curlOf, onCalls, type Call } from '../data/calls.ts'
import { sessionQuery } from '../data/session.ts'
import { Button } from '../parts/button.tsx'
import { Id } from '../parts/id.tsx'
import { Status } from '../parts/status.tsx'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import styles from './calls-drawer.module.css'
import { texts } from './calls-drawer.texts.ts'

/** The calls that this page has made, the newest first. */
export default function CallsDrawer({ close }: { close: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const calls = useSyncExternalStore(onCalls, callsNow)
  const drawer = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    drawer.current?.focus()
    return () => before?.focus()
  }, [])
  return (
    <aside
      ref={drawer}
      className={styles.drawer}
      aria-label={said.title}
      tabIndex={-1}
      onKeyDown={(event) => event.key === 'Escape' && close()}
    >
      <div className={styles.head}>
        <h2>{said.title}</h2>
        <Button onClick={clearCalls}>{said.clear}</Button>
        <Button onClick={close}>{words.close}</Button>
      </div>
      {calls.length === 0 && <p>{said.none}</p>}
      <ol>
        {calls.map((call) => (
          <li key={call.n} className={styles.call}>
            <OneCall call={call} />
          </li>
        ))}
      </ol>
    </aside>
  )
}

function OneCall({ call }: { call: Call }) {
  const said = useTexts(texts)
  const { method, path, status, ms, cold, idempotencyKey, replayed, traceId } = call
  const phases = Map.groupBy(cold ?? [], ({ service }) => service)
  // A function tells its first query apart if the answer that woke it came before.
  const woken = [...phases].flatMap(([name, told]) =>
    told.some(({ phase }) => phase !== 'db') ? [name] : [],
  )
  return (
    <>
      <p className={styles.line}>
        <code>
          {method} {path}
        </code>
        <Outcome status={status} />
        {ms !== undefined && <span>{ms.toFixed(0)} ms</span>}
        {status !== undefined &&
          (woken.length > 0 ? (
            <Status kind="cold" word={said.cold(woken.join(', '))} />
          ) : (
            <span className={styles.soft}>{said.warm}</span>
          ))}
      </p>
      {[...phases].map(([name, told]) => (
        <p key={name} className={styles.soft}>
          {name}: {told.map(({ phase, ms }) => `${phase} ${ms.toFixed(0)} ms`).join(', ')}
        </p>
      ))}
      <p className={styles.line}>
        {idempotencyKey && (
          <span className={styles.soft}>
            {said.key} <Id value={idempotencyKey} />
          </span>
        )}
        {replayed && <Status kind="good" word={said.replayed} />}
        {traceId && (
          <span className={styles.soft}>
            {said.trace} <Id value={traceId} />
          </span>
        )}
        <ToTransaction id={call.transaction} />
        <CopyCurl call={call} />
      </p>
    </>
  )
}

/** Leads to the life of what a call was about; customers to the receipt. */
function ToTransaction({ id }: { id: string | undefined }) {
  const said = useTexts(texts)
  const { data: session } = useQuery({ ...sessionQuery(), enabled: false })
  if (id === undefined || !session) return null
  return session.role === 'operator' ? (
    <Link href={`/engine/transfers/${id}`}>{said.life}</Link>
  ) : (
    <Link href={`/transactions/${id}`}>{said.receipt}</Link>
  )
}

function Outcome({ status }: { status: number | undefined }) {
  const said = useTexts(texts)
  if (status === undefined) return <Status kind="neutral" word={said.running} />
  if (status === 0) return <Status kind="bad" word={said.noAnswer} />
  return <Status kind={status < 400 ? 'good' : status < 500 ? 'warn' : 'bad'} word={String(status)} />
}

function CopyCurl({ call }: { call: Call }) {
  const said = useTexts(texts)
  const [isCopied, setCopied] = useState(false)
  // Pages that came without TLS have none.
  const clipboard = navigator.clipboard as Clipboard | undefined
  if (!clipboard) return null
  const copy = async (): Promise<void> =>
    setCopied(
      await clipboard.writeText(curlOf(call)).then(
        () => true,
        () => false,
      ),
    )
  return (
    <button type="button" className={styles.copy} onClick={() => void copy()} onBlur={() => setCopied(false)}>
      {isCopied ? said.copied : said.copyCurl}
    </button>
  )
}
