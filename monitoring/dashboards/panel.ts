/** How a panel draws its answers. */
export type PanelKind = 'timeseries' | 'stat' | 'gauge' | 'table' | 'heatmap' | 'piechart'

/** One expression of PromQL, in which Grafana fills in `$service`, `$__rate_interval` and `$__range`. */
export interface PanelTarget {
  expr: string
  /** What a series is called: labels in double braces, `{{service}}`. */
  legend: string
}

/** A colour, and the value from which on a figure has it. The lowest has none. */
export interface Colour {
  colour: 'green' | 'yellow' | 'red'
  from: number | null
}

export interface PanelOptions {
  /** What the title can't say. */
  about?: string
  /** Set if a laptop has nothing to show. */
  clusterOnly?: boolean
  /** Set if the panel marks single requests, each of which leads to its trace. */
  showsTraces?: boolean
  /** The lowest first. */
  colours?: readonly Colour[]
  /** The ends of a gauge. */
  min?: number
  max?: number
}

export interface Panel extends PanelOptions {
  kind: PanelKind
  title: string
  /** As Grafana calls it: `reqps`, `s`, `bytes`, `percent`, `short`, ... */
  unit: string
  targets: readonly PanelTarget[]
}

export interface Board {
  /** Part of its address, and the name of its file. */
  uid: string
  title: string
  about: string
  panels: readonly Panel[]
}

type Drawn = (
  title: string,
  unit: string,
  targets: readonly (readonly [expr: string, legend: string])[],
  options?: PanelOptions,
) => Panel

const draw =
  (kind: PanelKind): Drawn =>
  (title, unit, targets, options) => ({
    ...{ kind, title, unit },
    targets: targets.map(([expr, legend]) => ({ expr, legend })),
    ...options,
  })

export const timeseries = draw('timeseries')
export const stat = draw('stat')
export const gauge = draw('gauge')
export const table = draw('table')
export const heatmap = draw('heatmap')
export const pie = draw('piechart')

/** Green at zero, red above it. */
export const GOOD_AT_ZERO: readonly Colour[] = [
  { colour: 'green', from: null },
  { colour: 'red', from: 0.000001 },
]
/** Red below one. */
export const GOOD_AT_ONE: readonly Colour[] = [
  { colour: 'red', from: null },
  { colour: 'green', from: 1 },
]
