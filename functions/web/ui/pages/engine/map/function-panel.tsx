import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { functionQuery, platformQuery, type PicturedFunction } from '../../../data/platform.ts'
import { FileLink } from '../../../panels/file-link.tsx'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { useStateWords } from './function-chip.tsx'
import styles from './function-panel.module.css'
import { texts } from './map.texts.ts'
import { KINDS } from './picture-table.tsx'

/** What is known of one function: its scale and starts, its routes and its manifest. */
export function FunctionPanel({
  name,
  found,
  close,
}: {
  name: string
  found: PicturedFunction | undefined
  close: () => void
}) {
  const said = useTexts(texts)
  const detail = useQuery(functionQuery(name))
  const platform = useQuery(platformQuery())
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus({ preventScroll: true }), [])
  return (
    <aside
      ref={panel}
      className={styles.panel}
      aria-label={name}
      tabIndex={-1}
      onKeyDown={(event) => event.key === 'Escape' && close()}
    >
      <div className={styles.head}>
        <h2>{name}</h2>
        <Button onClick={close}>{said.close}</Button>
      </div>
      {found && <Running found={found} />}
      <Panel query={detail} starts="platform">
        {({ routes, manifest }) => (
          <>
            <h3>{said.routes}</h3>
            {routes.length === 0 && <p>{said.noRoutes}</p>}
            <ul>
              {routes.map(({ method, path }) => (
                <li key={`${method} ${path}`} className={styles.route}>
                  {method} {path}
                </li>
              ))}
            </ul>
            {routes.length > 0 && <a href="/docs">{said.inDocs}</a>}
            {platform.data?.logs && (
              <p>
                <FileLink href={`/api/platform/functions/${name}/logs`}>{said.logs}</FileLink>
              </p>
            )}
            <h3>{said.manifest}</h3>
            <pre className={styles.manifest} tabIndex={0} aria-label={said.manifest}>
              {JSON.stringify(manifest, undefined, 2)}
            </pre>
          </>
        )}
      </Panel>
    </aside>
  )
}

function Running({ found }: { found: PicturedFunction }) {
  const said = useTexts(texts)
  const words = useStateWords()
  const { reason, max_scale: most, concurrency, last_start: start } = found
  const known = (value: number | null): string => (value === null ? said.unknown : String(value))
  return (
    <>
      <Facts
        facts={[
          [said.state, <Status key="state" kind={KINDS[found.state]} word={words(found)} />],
          [said.context, found.context],
          [said.processes, String(found.processes)],
          [said.scale, `${found.min_scale}–${most ?? said.unlimited}`],
          [said.concurrency, concurrency ?? said.unlimited],
          [said.inFlight, known(found.in_flight)],
          [said.heldTitle, known(found.held)],
          [said.coldStarts, known(found.cold_starts)],
        ]}
      />
      {reason && <p className={styles.reason}>▲ {reason}</p>}
      {start && (
        <>
          <h3>{said.phases}</h3>
          <Facts
            facts={(Object.keys(said.phaseNames) as (keyof typeof start)[]).flatMap((phase) => {
              const ms = start[phase]
              return ms === null ? [] : [[said.phaseNames[phase], said.ms(String(Math.round(ms)))] as const]
            })}
          />
        </>
      )}
    </>
  )
}
