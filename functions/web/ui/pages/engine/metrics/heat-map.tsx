import type { AnsweredPanel, DashboardPicture } from '../../../data/platform-metrics.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatFigure } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { BOX, Chart } from './chart.tsx'
import { figure } from './figures.ts'
import { cellsOf } from './line-path.ts'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

/** How many observations each bucket got, over time: the darker, the more. Below, the sums of the buckets. */
export function HeatMap({ panel, picture }: { panel: AnsweredPanel; picture: DashboardPicture }) {
  const said = useTexts(texts)
  const [words, language] = [usePanelWords(), useLanguage()]
  const cells = cellsOf(
    panel.series.map(({ labels, values }) => ({
      bound: Number(String(labels.le).replace('+Inf', 'Infinity')),
      course: values,
    })),
  )
  const most = Math.max(...cells.flatMap(({ counts }) => counts), 0)
  const moments = cells[0]!.counts.length
  const [width, height] = [BOX.width / moments, BOX.height / cells.length]
  const bounds = cells.map(({ bound }) => bound).filter(Number.isFinite)
  const told = (bound: number): string => figure(language, panel.unit, bound)
  const highest = told(bounds.at(-1) ?? 0)
  const sums = cells.map(({ bound, counts }) => ({
    name: bound === Infinity ? said.above(highest) : said.upTo(told(bound)),
    // An estimate of what is a whole number.
    sum: Math.round(counts.reduce((sum, count) => sum + count, 0)),
  }))
  const used = sums.filter(({ sum }) => sum > 0)
  if (used.length === 0) return <p className={styles.note}>{said.empty}</p>
  return (
    <Chart
      title={words(panel.title)}
      top={said.above(highest)}
      bottom={said.upTo(told(bounds[0] ?? 0))}
      from={picture.from}
      until={picture.until}
      below={
        <ul className={styles.legend}>
          {used.map(({ name, sum }) => (
            <li key={name}>
              <span className={styles.name}>{name}</span>
              <span className={styles.value}>{formatFigure(language, sum)}</span>
            </li>
          ))}
        </ul>
      }
    >
      <path className={styles.base} d={`M0 ${BOX.height}H${BOX.width}`} />
      {cells.map(({ bound, counts }, row) =>
        counts.map(
          (count, n) =>
            count > 0 && (
              <rect
                key={`${bound} ${n}`}
                className={styles.cell}
                {...{ x: n * width, y: BOX.height - (row + 1) * height, width, height }}
                opacity={0.2 + 0.8 * (count / most)}
              />
            ),
        ),
      )}
    </Chart>
  )
}
