import { useId, useState, type PointerEvent } from 'react'
import type { AnsweredPanel, DashboardPicture } from '../../../data/platform-metrics.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatTime } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { figure, named } from './figures.ts'
import { axisFor, linePath } from './line-path.ts'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

const BOX = { width: 600, height: 140 } as const

/** Lines over time, and below them the figures of the moment under the pointer, or of the last. */
export function Lines({ panel, picture }: { panel: AnsweredPanel; picture: DashboardPicture }) {
  const said = useTexts(texts)
  const [words, language, title] = [usePanelWords(), useLanguage(), useId()]
  const [pointed, setPointed] = useState<number | null>(null)
  const { series, unit } = panel
  const courses = series.map(({ values }) => values)
  const { bottom, top } = axisFor(courses)
  const last = courses[0]!.length - 1
  const at = Math.min(pointed ?? last, last)
  const told = (value: number): string => figure(language, unit, value)
  const timeOf = (moment: number): string =>
    formatTime(language, new Date(Date.parse(picture.from) + moment * picture.step_seconds * 1000))
  const point = ({ currentTarget, clientX }: PointerEvent): void => {
    const { left, width } = currentTarget.getBoundingClientRect()
    setPointed(Math.round(Math.min(1, Math.max(0, (clientX - left) / width)) * last))
  }
  return (
    <figure className={styles.figure}>
      <div className={styles.chart}>
        <span className={styles.axis} aria-hidden="true">
          <span>{told(top)}</span>
          <span>{told(bottom)}</span>
        </span>
        <svg
          viewBox={`0 0 ${BOX.width} ${BOX.height}`}
          preserveAspectRatio="none"
          role="img"
          aria-labelledby={title}
          onPointerMove={point}
          onPointerLeave={() => setPointed(null)}
        >
          <title id={title}>{said.picture(words(panel.title), told(bottom), told(top))}</title>
          <path className={styles.grid} d={`M0 0H${BOX.width}M0 ${BOX.height / 2}H${BOX.width}`} />
          <path className={styles.base} d={`M0 ${BOX.height}H${BOX.width}`} />
          {pointed !== null && last > 0 && (
            <path className={styles.pointer} d={`M${(at / last) * BOX.width} 0V${BOX.height}`} />
          )}
          {courses.map((course, n) => (
            <path key={n} className={styles.line} data-n={n} d={linePath(course, { bottom, top }, BOX)} />
          ))}
        </svg>
        <span className={styles.ends}>
          <span>{timeOf(0)}</span>
          <span>{timeOf(last)}</span>
        </span>
      </div>
      <figcaption>
        <span className={styles.moment}>{pointed === null ? said.now : said.until(timeOf(at))}</span>
        <ul className={styles.legend}>
          {series.map(({ legend, labels, values }, n) => (
            <li key={n}>
              <svg viewBox="0 0 20 4" aria-hidden="true">
                <path className={styles.line} data-n={n} d="M0 2H20" />
              </svg>
              <span className={styles.name}>{named(words(legend), labels)}</span>
              <span className={styles.value}>{values[at] == null ? '–' : told(values[at])}</span>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  )
}
