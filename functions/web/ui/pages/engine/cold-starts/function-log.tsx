import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { functionLogQuery, type FunctionLog, type LogLine } from '../../../data/platform-starts.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { Panel } from '../../../parts/panel.tsx'
import { Status, type StatusKind } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Clock } from './clock.tsx'
import styles from './cold-starts.module.css'
import { texts } from './cold-starts.texts.ts'

type LogLevel = LogLine['level']

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const KINDS: Record<LogLevel, StatusKind> = { debug: 'neutral', info: 'neutral', warn: 'warn', error: 'bad' }

/** The last lines that a function has logged; on a cluster the command that shows them. */
export function FunctionLogPanel({ name }: { name: string }) {
  const said = useTexts(texts)
  const [level, setLevel] = useState<LogLevel>('debug')
  const log = useQuery(functionLogQuery(name, level, useAttention()))
  const choice = (
    <label className={styles.choice}>
      {said.level}
      <select
        value={level}
        onChange={({ target: { value } }) => setLevel(LEVELS.find((known) => known === value) ?? 'debug')}
      >
        {LEVELS.map((known) => (
          <option key={known} value={known}>
            {said.levels[known]}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <Panel title={said.log(name)} query={log} starts="platform" actions={log.data?.lines !== null && choice}>
      {(shown) => <Lines log={shown} />}
    </Panel>
  )
}

function Lines({ log: { lines, command } }: { log: FunctionLog }) {
  const said = useTexts(texts)
  return (
    <>
      {lines?.length === 0 && <p className={styles.note}>{said.noLines}</p>}
      {lines && lines.length > 0 && (
        // Whoever has no pointer scrolls it when it has the focus.
        <div className={styles.lines} role="region" aria-label={said.lines} tabIndex={0}>
          <ol>
            {lines.toReversed().map((line, n) => (
              <Line key={`${line.at} ${n}`} line={line} />
            ))}
          </ol>
        </div>
      )}
      <p className={styles.note}>
        {said.inTerminal} <code className={styles.command}>{command}</code>
      </p>
    </>
  )
}

function Line({ line: { at, level, message, fields } }: { line: LogLine }) {
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return (
    <li className={styles.line}>
      {at !== null && <Clock at={at} />}
      <Status kind={KINDS[level]} word={level} />
      <span className={styles.message}>
        <bdi>{message}</bdi> <code>{rest.join(' ')}</code>
      </span>
    </li>
  )
}
