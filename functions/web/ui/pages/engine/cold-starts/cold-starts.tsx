import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { coldStartsQuery, type ColdStarts } from '../../../data/platform-starts.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { countOf, sumOf, within } from './bars.ts'
import { ByFunction } from './by-function.tsx'
import styles from './cold-starts.module.css'
import { texts } from './cold-starts.texts.ts'
import { FunctionLogPanel } from './function-log.tsx'
import { Histograms, useBound } from './histograms.tsx'
import { useMs } from './use-ms.ts'
import { Waterfall } from './waterfall.tsx'

/** How functions started: all of them as histograms, the last fifty as a waterfall. The function that is shown
 * stands in the address. */
export default function ColdStartsPage() {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const only = search.get('function') ?? ''
  const query = useQuery(coldStartsQuery(useAttention()))
  const show = (name: string): void => setSearch(name ? { function: name } : {}, { replace: true })
  const { data } = query
  const isOnCluster = data?.runtime === 'cluster'
  return (
    <Page title={said.title} actions={<Choice {...{ data, only, show }} />}>
      <p>{isOnCluster ? said.onCluster : said.intro}</p>
      {!isOnCluster && (
        <Panel title={said.summary} query={query} starts="platform">
          {(all) => <Summary all={all} only={only} />}
        </Panel>
      )}
      {!isOnCluster && (
        <Panel title={said.phases} query={query} rows={8} starts="platform">
          {(all) => <Phases all={all} only={only} />}
        </Panel>
      )}
      <Panel
        title={only ? said.lastOf(only) : said.last}
        query={{ ...query, data: data && { ...data, starts: startsOf(data, only) } }}
        rows={8}
        starts="platform"
      >
        {({ starts, bare_node_ms: bareNodeMs }) =>
          starts.length === 0 ? (
            <p className={styles.note}>{only ? said.noneOfIt : said.noStarts}</p>
          ) : (
            <Waterfall starts={starts} bareNodeMs={bareNodeMs} label={said.last} />
          )
        }
      </Panel>
      {only && <FunctionLogPanel key={only} name={only} />}
      {data?.histograms && !only && (
        <Panel title={said.byFunction} query={query}>
          {({ histograms, bounds_ms: boundsMs }) => (
            <ByFunction histograms={histograms ?? []} boundsMs={boundsMs} />
          )}
        </Panel>
      )}
    </Page>
  )
}

const startsOf = ({ starts }: ColdStarts, only: string) =>
  only ? starts.filter((start) => start.function === only) : starts

const histogramsOf = ({ histograms }: ColdStarts, only: string) =>
  (histograms ?? []).filter((histogram) => !only || histogram.function === only)

function Choice({
  data,
  only,
  show,
}: {
  data: ColdStarts | undefined
  only: string
  show: (name: string) => void
}) {
  const said = useTexts(texts)
  const known = [...(data?.histograms ?? []), ...(data?.starts ?? [])].map((each) => each.function)
  const names = [...new Set([...known, ...(only ? [only] : [])])].sort()
  return (
    <label className={styles.choice}>
      {said.show}
      <select value={only} onChange={({ target: { value } }) => show(value)}>
        <option value="">{said.all}</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function Summary({ all, only }: { all: ColdStarts; only: string }) {
  const [said, ms, language, bound] = [useTexts(texts), useMs(), useLanguage(), useBound(all.bounds_ms)]
  const port = sumOf(histogramsOf(all, only), 'port-open') ?? []
  return (
    <>
      <Facts
        facts={[
          [said.count, formatNumber(language, countOf(port))],
          [said.half, bound(within(port, all.bounds_ms, 0.5))],
          [said.bareNode, all.bare_node_ms === null ? said.bareNodeWaits : ms(all.bare_node_ms)],
        ]}
      />
      <p className={styles.note}>{said.bareNodeHint}</p>
    </>
  )
}

function Phases({ all, only }: { all: ColdStarts; only: string }) {
  const said = useTexts(texts)
  const histograms = histogramsOf(all, only)
  if (histograms.length === 0) return <p className={styles.note}>{said.noStarts}</p>
  return <Histograms histograms={histograms} boundsMs={all.bounds_ms} />
}
