import type { AnsweredPanel, DashboardPicture } from '../../../data/platform-metrics.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { Figures } from './figures-list.tsx'
import { HeatMap } from './heat-map.tsx'
import { Lines } from './lines.tsx'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

/** All panels of a dashboard, each as its kind is drawn. */
export function AnsweredPanels({ picture }: { picture: DashboardPicture }) {
  const words = usePanelWords()
  return (
    <>
      <p className={styles.note}>{words(picture.dashboard.about)}</p>
      <ul className={styles.panels}>
        {picture.panels.map((panel) => (
          <li key={panel.title} data-kind={panel.kind}>
            <OnePanel panel={panel} picture={picture} />
          </li>
        ))}
      </ul>
    </>
  )
}

function OnePanel({ panel, picture }: { panel: AnsweredPanel; picture: DashboardPicture }) {
  const said = useTexts(texts)
  const [words, language] = [usePanelWords(), useLanguage()]
  const { title, about, failed, series, left_out: leftOut } = panel
  return (
    <section className={styles.panel} aria-label={words(title)}>
      <h3>{words(title)}</h3>
      {about !== null && <p className={styles.note}>{words(about)}</p>}
      {failed ? (
        <p className={styles.failed}>{said.failed}</p>
      ) : series.length === 0 ? (
        <p className={styles.note}>{said.empty}</p>
      ) : (
        <Drawn panel={panel} picture={picture} />
      )}
      {leftOut > 0 && <p className={styles.note}>{said.leftOut(formatNumber(language, leftOut))}</p>}
    </section>
  )
}

function Drawn({ panel, picture }: { panel: AnsweredPanel; picture: DashboardPicture }) {
  switch (panel.kind) {
    case 'timeseries':
      return <Lines panel={panel} picture={picture} />
    case 'heatmap':
      return <HeatMap panel={panel} picture={picture} />
    default:
      return <Figures panel={panel} />
  }
}
