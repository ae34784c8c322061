import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import {
  metricsQuery,
  RANGES,
  type DashboardPicture,
  type ShownMetrics,
} from '../../../data/platform-metrics.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { Choice } from '../../../parts/field.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { AnsweredPanels } from './answered-panels.tsx'
import styles from './metrics.module.css'
import { texts } from './metrics.texts.ts'
import { usePanelWords } from './use-panel-words.ts'

/** The dashboards of the bank, with what Prometheus answers. The address says which one is shown, for how
 * much time, and for which function. */
export default function MetricsPage() {
  const said = useTexts(texts)
  const words = usePanelWords()
  const [search, setSearch] = useSearchParams()
  const shown: ShownMetrics = {
    dashboard: search.get('dashboard') ?? 'overview',
    range: RANGES.find((range) => range === search.get('range')) ?? '15m',
    service: search.get('service') ?? '',
  }
  const query = useQuery(metricsQuery(shown, useAttention()))
  const choose = (change: Partial<ShownMetrics>): void => {
    const given = Object.entries({ ...shown, ...change }).filter(([, value]) => value !== '')
    setSearch(Object.fromEntries(given), { replace: true })
  }
  const { data } = query
  return (
    <Page title={said.title} width="full">
      <p>{said.intro}</p>
      <Choices {...{ data, shown, choose }} />
      <Panel
        title={data ? words(data.dashboard.title) : said.dashboard}
        query={query}
        rows={12}
        starts="platform"
      >
        {(picture) =>
          picture.why_not === null ? (
            <AnsweredPanels picture={picture} />
          ) : (
            <p>{said.whyNot[picture.why_not]}</p>
          )
        }
      </Panel>
    </Page>
  )
}

function Choices({
  data,
  shown,
  choose,
}: {
  data: DashboardPicture | undefined
  shown: ShownMetrics
  choose: (change: Partial<ShownMetrics>) => void
}) {
  const said = useTexts(texts)
  const words = usePanelWords()
  const dashboards = data?.dashboards ?? [{ uid: shown.dashboard, title: shown.dashboard }]
  const services = data?.services ?? []
  const names = services.includes(shown.service) || !shown.service ? services : [shown.service, ...services]
  return (
    <div className={styles.choices}>
      <Choice
        name="dashboard"
        label={said.dashboard}
        options={dashboards.map(({ uid, title }) => ({ value: uid, text: words(title) }))}
        value={shown.dashboard}
        onChange={({ target }) => choose({ dashboard: target.value })}
      />
      <Choice
        name="range"
        label={said.range}
        options={RANGES.map((value) => ({ value, text: said.ranges[value] }))}
        value={shown.range}
        onChange={({ target }) => choose({ range: target.value as ShownMetrics['range'] })}
      />
      {names.length > 0 && (
        <Choice
          name="service"
          label={said.service}
          options={[{ value: '', text: said.allServices }, ...names.map((value) => ({ value, text: value }))]}
          value={shown.service}
          onChange={({ target }) => choose({ service: target.value })}
        />
      )}
    </div>
  )
}
