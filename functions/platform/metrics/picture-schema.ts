import type { Infer } from '../../host/schema.ts'

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const numberOrNull = { type: ['number', 'null'] } as const

/** What a reader may choose: how much time a picture covers, and the seconds between two of its points. */
export const STEP_SECONDS = { '15m': 10, '1h': 30, '6h': 180, '24h': 720 } as const

const seriesSchema = {
  title: 'PanelSeries',
  type: 'object',
  required: ['legend', 'labels', 'values'],
  properties: {
    legend: { ...text, description: 'Its name, in which `{{label}}` stands for the value of a label.' },
    labels: { type: 'object', additionalProperties: text },
    values: {
      type: 'array',
      items: numberOrNull,
      description:
        'One for each moment from `from` on, `step_seconds` apart; for a panel of one moment, its value now. Null is no value.',
    },
  },
} as const

const panelSchema = {
  title: 'AnsweredPanel',
  type: 'object',
  required: ['kind', 'title', 'about', 'unit', 'colours', 'min', 'max', 'failed', 'series', 'left_out'],
  properties: {
    kind: { enum: ['timeseries', 'heatmap', 'stat', 'gauge', 'table', 'piechart'] },
    title: text,
    about: textOrNull,
    unit: { ...text, description: 'As Grafana calls it.' },
    colours: {
      type: ['array', 'null'],
      description: 'From which value on a figure has which colour, the lowest first. The first has no value.',
      items: {
        type: 'object',
        required: ['colour', 'from'],
        properties: { colour: { enum: ['green', 'yellow', 'red'] }, from: numberOrNull },
      },
    },
    min: numberOrNull,
    max: numberOrNull,
    failed: { type: 'boolean', description: 'Prometheus could not answer it in time.' },
    series: { type: 'array', items: seriesSchema, description: 'The highest first.' },
    left_out: { type: 'integer', minimum: 0, description: 'Lower series that are not here.' },
  },
} as const

const dashboardSchema = {
  title: 'DashboardName',
  type: 'object',
  required: ['uid', 'title', 'about'],
  properties: { uid: text, title: text, about: text },
} as const

export const pictureSchema = {
  title: 'DashboardPicture',
  type: 'object',
  required: [
    ...['why_not', 'dashboards', 'dashboard', 'from', 'until', 'step_seconds', 'services', 'panels'],
  ],
  properties: {
    why_not: {
      enum: ['no-monitor', 'no-answer', 'not-set', null],
      description:
        'no-monitor: on this laptop, no `npm run monitor` watches the bank; no-answer: the Prometheus that the settings name does not answer; not-set: they name none.',
    },
    dashboards: { type: 'array', items: dashboardSchema },
    dashboard: dashboardSchema,
    from: { type: 'string', format: 'date-time' },
    until: { type: 'string', format: 'date-time' },
    step_seconds: { type: 'integer', minimum: 1 },
    services: {
      type: ['array', 'null'],
      items: text,
      description: 'The functions that the dashboard can be limited to; null if none of its panels can be.',
    },
    panels: { type: 'array', items: panelSchema },
  },
} as const

export type DashboardPicture = Infer<typeof pictureSchema>
export type AnsweredPanel = Infer<typeof panelSchema>
export type PanelSeries = Infer<typeof seriesSchema>
export type WhyNoMetrics = NonNullable<DashboardPicture['why_not']>
