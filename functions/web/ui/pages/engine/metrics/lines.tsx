import { useState, type PointerEvent } from 'react'
import type { AnsweredPanel, DashboardPicture } from '../../../data/platform-metrics.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatTime } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { BOX, Chart } from './chart.tsx'
import { figure, named } from './figures.ts'
import { axisFor, linePath } from './line-path.ts'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

/** Lines over time, and below them the figures of the moment under the pointer, or of the last. */
export function Lines({ panel, picture }: { panel: AnsweredPanel; picture: DashboardPicture }) {
  const said = useTexts(texts)
  const [words, language] = [usePanelWords(), useLanguage()]
  const [pointed, setPointed] = useState<number | null>(null)
  const { series, unit } = panel
  const courses = series.map(({ values }) => values)
  const { bottom, top } = axisFor(courses)
  const last = courses[0]!.length - 1
  const at = Math.min(pointed ?? last, last)
  const told = (value: number): string => figure(language, unit, value)
  const momentOf = (moment: number): string =>
    new Date(Date.parse(picture.from) + moment * picture.step_seconds * 1000).toISOString()
  const point = ({ currentTarget, clientX }: PointerEvent): void => {
    const { left, width } = currentTarget.getBoundingClientRect()
    setPointed(Math.round(Math.min(1, Math.max(0, (clientX - left) / width)) * last))
  }
  return (
    <Chart
      title={said.picture(words(panel.title), told(bottom), told(top))}
      top={told(top)}
      bottom={told(bottom)}
      from={momentOf(0)}
      until={momentOf(last)}
      onPointerMove={point}
      onPointerLeave={() => setPointed(null)}
      below={
        <>
          <span className={styles.moment}>
            {pointed === null ? said.now : said.until(formatTime(language, new Date(momentOf(at))))}
          </span>
          <ul className={styles.legend}>
            {series.map(({ legend, labels, values }, n) => (
              <li key={n}>
                <svg viewBox="0 0 20 4" aria-hidden="true">
                  <path className={styles.line} data-n={n} d="M0 2H20" />
                </svg>
                <span className={styles.name}>{named(words(legend), labels, said.none)}</span>
                <span className={styles.value}>{values[at] == null ? '–' : told(values[at])}</span>
              </li>
            ))}
          </ul>
        </>
      }
    >
      <path className={styles.grid} d={`M0 0H${BOX.width}M0 ${BOX.height / 2}H${BOX.width}`} />
      <path className={styles.base} d={`M0 ${BOX.height}H${BOX.width}`} />
      {pointed !== null && last > 0 && (
        <path className={styles.pointer} d={`M${(at / last) * BOX.width} 0V${BOX.height}`} />
      )}
      {courses.map((course, n) => (
        <path key={n} className={styles.line} data-n={n} d={linePath(course, { bottom, top }, BOX)} />
      ))}
    </Chart>
  )
}
