import {
  DashboardBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as GaugeBuilder } from '@grafana/grafana-foundation-sdk/gauge'
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { PanelBuilder as PieBuilder } from '@grafana/grafana-foundation-sdk/piechart'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Board, Panel, PanelKind, PanelTarget } from './panel.ts'

/** The Prometheus of monitoring/grafana/datasource.yaml. */
const DATASOURCE = { type: 'prometheus', uid: 'prometheus' }

type PanelBuilder =
  | GaugeBuilder
  | HeatmapBuilder
  | PieBuilder
  | StatBuilder
  | TableBuilder
  | TimeseriesBuilder

const builders: Readonly<Record<PanelKind, () => PanelBuilder>> = {
  timeseries: () => new TimeseriesBuilder().fillOpacity(10),
  stat: () => new StatBuilder(),
  gauge: () => new GaugeBuilder(),
  table: () => new TableBuilder(),
  heatmap: () => new HeatmapBuilder(),
  piechart: () => new PieBuilder(),
}

/** How wide a panel is, of 24, and how high. */
const SIZES: Readonly<Record<PanelKind, { w: number; h: number }>> = {
  timeseries: { w: 8, h: 8 },
  heatmap: { w: 8, h: 8 },
  table: { w: 8, h: 8 },
  piechart: { w: 8, h: 8 },
  gauge: { w: 6, h: 6 },
  stat: { w: 6, h: 4 },
}
/** Of these the last value is shown, and not its course. */
const OF_NOW: readonly PanelKind[] = ['table', 'gauge', 'piechart']

/** Makes a dashboard as Grafana keeps it in its classic form, which is the one that it takes from files. */
export function grafanaDashboard({ uid, title, about, panels }: Board): Dashboard {
  const board = new DashboardBuilder(`microbank: ${title}`)
    .uid(`microbank-${uid}`)
    .description(about)
    .tags(['microbank'])
    .timezone('browser')
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .readonly()
  if (panels.some(({ targets }) => targets.some(({ expr }) => expr.includes('$service'))))
    board.withVariable(
      new QueryVariableBuilder('service')
        .label('Service')
        .datasource(DATASOURCE)
        .query('label_values(microbank_processes, service)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ selected: true, text: 'All', value: '$__all' }),
    )
  panels.forEach((panel, n) => board.withPanel(grafanaPanel(panel).id(n + 1)))
  return board.build()
}

function grafanaPanel(drawn: Panel): PanelBuilder {
  const { kind, title, unit, targets, about, showsTraces, colours, min, max } = drawn
  const { w, h } = SIZES[kind]
  const panel = builders[kind]().title(title).unit(unit).datasource(DATASOURCE).span(w).height(h)
  if (about !== undefined) panel.description(about)
  if (min !== undefined) panel.min(min)
  if (max !== undefined) panel.max(max)
  if (colours) {
    const steps = colours.map(({ colour, from }) => ({ color: colour, value: from }))
    panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
  }
  // Grafana tells the answers of a panel apart by these letters.
  targets.forEach((target, n) => {
    const asked = query(kind, target).refId('ABCDEFGH'[n]!)
    // All targets of a panel have the same exemplars, so the first asks for them.
    panel.withTarget(showsTraces && n === 0 ? asked.exemplar(true) : asked)
  })
  return panel
}

function query(kind: PanelKind, { expr, legend }: PanelTarget): DataqueryBuilder {
  const made = new DataqueryBuilder().expr(expr).legendFormat(legend).datasource(DATASOURCE)
  if (kind === 'heatmap') made.format(PromQueryFormat.Heatmap)
  if (kind === 'table') made.format(PromQueryFormat.Table)
  return OF_NOW.includes(kind) ? made.instant() : made.range()
}
