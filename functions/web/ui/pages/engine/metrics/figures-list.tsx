import type { AnsweredPanel } from '../../../data/platform-metrics.ts'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { useLanguage } from '../../../texts/language.ts'
import { figure, named } from './figures.ts'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

const KINDS = { green: 'good', yellow: 'warn', red: 'bad' } as const

/** The figures of one moment with their names. Some also have bars: those of a gauge are parts of its range,
 * of a table parts of the highest figure, of a pie parts of all together, if all are there. */
export function Figures({ panel }: { panel: AnsweredPanel }) {
  const said = useTexts(texts)
  const [words, language] = [usePanelWords(), useLanguage()]
  const { series, kind, unit } = panel
  const rows = series.map(({ legend, labels, values }) => ({
    name: named(words(legend), labels, said.none),
    value: values[0] ?? 0,
  }))
  const whole = wholeOf(panel, rows)
  return (
    <ul className={styles.figures} data-kind={kind}>
      {rows.map(({ name, value }, n) => (
        <li key={n}>
          <span className={styles.name}>{name}</span>
          <span className={styles.value}>
            <Coloured panel={panel} value={value} text={figure(language, unit, value)} />
          </span>
          {whole > 0 && (
            <span className={styles.bar} aria-hidden="true">
              <span style={{ inlineSize: `${Math.min(1, Math.max(0, value / whole)) * 100}%` }} />
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

function Coloured({ panel, value, text }: { panel: AnsweredPanel; value: number; text: string }) {
  const reached = panel.colours?.findLast(({ from }) => from === null || value >= from)
  return reached ? <Status kind={KINDS[reached.colour]} word={text} /> : text
}

/** What a bar of full length stands for; 0 if there are no bars. */
function wholeOf(
  { kind, max, left_out: leftOut }: AnsweredPanel,
  rows: readonly { value: number }[],
): number {
  const values = rows.map(({ value }) => value)
  switch (kind) {
    case 'gauge':
      return max ?? 0
    case 'piechart':
      return leftOut > 0 ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0)
    case 'table':
      return Math.max(...values)
    default:
      return 0
  }
}
