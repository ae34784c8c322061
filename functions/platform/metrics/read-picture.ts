import { boards } from '../../../monitoring/dashboards/boards.ts'
import type { Board, Panel, PanelKind } from '../../../monitoring/dashboards/panel.ts'
import { filledIn, type Chosen } from '../../../monitoring/dashboards/promql.ts'
import type { Tools } from '../../host/tools.ts'
import { isLocal } from '../runtime-report.ts'
import { askPrometheus, NoPrometheus, QueryFailed, type PrometheusSeries } from './ask-prometheus.ts'
import {
  STEP_SECONDS,
  type AnsweredPanel,
  type DashboardPicture,
  type PanelSeries,
} from './picture-schema.ts'

export interface PictureQuery {
  dashboard: string
  range: keyof typeof STEP_SECONDS
  /** The function that it is limited to. */
  service?: string
}

type AskingTools = Pick<Tools, 'send' | 'config' | 'log'>

/** These show values over time, all others only the last value. */
const OVER_TIME: readonly PanelKind[] = ['timeseries', 'heatmap']
/** More lines than this can't be told apart, and of more rows nobody reads the last. */
const LINES_MAX = 12
const FIGURES_MAX = 100
/** rate() needs two values within it, even if Prometheus scrapes every 15 s and one scrape fails. */
const RATE_SECONDS_MIN = 60

interface PictureSpan {
  fromSeconds: number
  untilSeconds: number
  /** Up to a step later than `untilSeconds`. */
  nowSeconds: number
  stepSeconds: number
  /** The window of rates and increases at each moment. */
  rateSeconds: number
}

/** Asks Prometheus for all panels of a dashboard. Resolves with undefined if there is no such dashboard. */
export async function readPicture(
  tools: AskingTools,
  { dashboard: uid, range, service }: PictureQuery,
  nowMs: number,
): Promise<DashboardPicture | undefined> {
  const board = boards.find((each) => each.uid === uid)
  if (!board) return undefined
  const span = spanOf(range, nowMs)
  const chosen = { service: service ?? '.*', range, rateInterval: `${span.rateSeconds}s` }
  const picture = {
    dashboards: boards.map(nameOf),
    dashboard: nameOf(board),
    from: new Date(span.fromSeconds * 1000).toISOString(),
    until: new Date(span.untilSeconds * 1000).toISOString(),
    step_seconds: span.stepSeconds,
  }
  try {
    // If Prometheus doesn't answer this, it isn't asked for the panels.
    const services = await servicesOf(tools, board, span)
    const shown = board.panels.filter(({ clusterOnly }) => !clusterOnly || !isLocal(tools))
    const panels = await Promise.all(shown.map((panel) => answer(tools, panel, chosen, span)))
    return { why_not: null, ...picture, services, panels }
  } catch (error) {
    if (!(error instanceof NoPrometheus)) throw error
    return { why_not: error.why, ...picture, services: null, panels: [] }
  }
}

const nameOf = ({ uid, title, about }: Board) => ({ uid, title, about })

/** The moments of a picture. Those of lines are multiples of the step, so that lines don't tremble when the
 * picture is taken anew. */
function spanOf(range: PictureQuery['range'], nowMs: number): PictureSpan {
  const stepSeconds = STEP_SECONDS[range]
  const seconds = { m: 60, h: 3600 }[range.slice(-1) as 'm' | 'h'] * Number(range.slice(0, -1))
  const untilSeconds = Math.floor(nowMs / 1000 / stepSeconds) * stepSeconds
  const nowSeconds = Math.floor(nowMs / 1000)
  const rateSeconds = Math.max(RATE_SECONDS_MIN, stepSeconds + 15)
  return { fromSeconds: untilSeconds - seconds, untilSeconds, nowSeconds, stepSeconds, rateSeconds }
}

/** Resolves with the functions that Prometheus knows; null if they change nothing. */
async function servicesOf(tools: AskingTools, board: Board, span: PictureSpan): Promise<string[] | null> {
  const time = String(span.nowSeconds)
  // Also if a busy bank left them out of its last metrics.
  const query = 'group by (service) (last_over_time(microbank_processes[5m]))'
  const found = await askPrometheus(tools, 'query', { query, time }).catch((error: unknown) => {
    if (error instanceof QueryFailed) return []
    throw error
  })
  const isLimited = board.panels.some(({ targets }) => targets.some(({ expr }) => expr.includes('$service')))
  return isLimited ? found.map(({ metric }) => metric.service ?? '').sort() : null
}

async function answer(
  tools: AskingTools,
  panel: Panel,
  chosen: Chosen,
  span: PictureSpan,
): Promise<AnsweredPanel> {
  const { kind, title, unit, colours, min = null, max = null } = panel
  // The text of a panel with traces is about single requests, which this picture lacks.
  const about = (!panel.showsTraces && panel.about) || null
  const drawn = { ...{ kind, title, about, unit, min, max }, colours: colours ? [...colours] : null }
  try {
    const answers = panel.targets.map(async ({ expr, legend }) =>
      (await ask(tools, kind, filledIn(expr, chosen), span)).map((series) =>
        shownSeries(series, legend, span),
      ),
    )
    const all = (await Promise.all(answers)).flat().filter(hasValue)
    // The buckets of a heat map are one picture.
    const most = kind === 'stat' || kind === 'gauge' ? FIGURES_MAX : LINES_MAX
    const series =
      kind === 'heatmap'
        ? all.map((one) => sharedOut(one, span))
        : all.sort((a, b) => highest(b) - highest(a)).slice(0, most)
    return { ...drawn, failed: false, series, left_out: all.length - series.length }
  } catch (error) {
    if (!(error instanceof QueryFailed)) throw error
    tools.log.warn('a panel got no answer', { name: title, error: error.message })
    return { ...drawn, failed: true, series: [], left_out: 0 }
  }
}

function ask(
  tools: AskingTools,
  kind: PanelKind,
  query: string,
  span: PictureSpan,
): Promise<PrometheusSeries[]> {
  const [start, end] = [String(span.fromSeconds), String(span.untilSeconds)]
  return OVER_TIME.includes(kind)
    ? askPrometheus(tools, 'query_range', { query, start, end, step: String(span.stepSeconds) })
    : askPrometheus(tools, 'query', { query, time: String(span.nowSeconds) })
}

/** A series with a value, or none, for each moment of the picture. */
function shownSeries(
  { metric: { __name__: _name, ...labels }, value, values }: PrometheusSeries,
  legend: string,
  { fromSeconds, untilSeconds, stepSeconds }: PictureSpan,
): PanelSeries {
  if (value) return { legend, labels, values: [numberIn(value[1])] }
  const moments = (untilSeconds - fromSeconds) / stepSeconds + 1
  const at = new Map(
    values?.map(([seconds, text]) => [Math.round((seconds - fromSeconds) / stepSeconds), numberIn(text)]),
  )
  return { legend, labels, values: Array.from({ length: moments }, (_, n) => at.get(n) ?? null) }
}

/** The windows of neighbouring moments overlap, so what was observed once is in several of them. Each moment
 * gets its share of it, so that all moments together have as many as there were. */
const sharedOut = (series: PanelSeries, { stepSeconds, rateSeconds }: PictureSpan): PanelSeries => ({
  ...series,
  values: series.values.map((value) => value && (value * stepSeconds) / rateSeconds),
})

/** Prometheus divides by zero, too: then there is no value. */
function numberIn(text: string): number | null {
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

const hasValue = ({ values }: PanelSeries): boolean => values.some((value) => value !== null)

const highest = ({ values }: PanelSeries): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? -Infinity), -Infinity)
