import { parser } from '@prometheus-io/lezer-promql'
import { allows, instrumentOf, type Instrument } from './catalogue.ts'

/** What others than the bank measure, with the labels that rules and panels may use. */
const FOREIGN: Record<string, readonly string[]> = {
  up: ['job', 'instance'],
  // Serving and eventing-rabbitmq, as the exporter of OpenTelemetry writes their names.
  kn_revision_pods_count: ['k8s_namespace_name', 'kn_service_name'],
  kn_revision_pods_not_ready_count: ['k8s_namespace_name', 'kn_service_name'],
  kn_revision_pods_requested: ['k8s_namespace_name', 'kn_service_name'],
  kn_revision_request_queued: ['k8s_namespace_name', 'kn_revision_name'],
  rabbitmq_detailed_queue_messages: ['queue'],
  kube_customresource_ready: ['customresource_kind', 'name', 'type'],
  kube_cronjob_created: ['namespace', 'cronjob'],
  kube_cronjob_status_last_successful_time: ['namespace', 'cronjob'],
  kubelet_volume_stats_available_bytes: ['persistentvolumeclaim'],
  kubelet_volume_stats_capacity_bytes: ['persistentvolumeclaim'],
  certmanager_certificate_expiration_timestamp_seconds: ['namespace', 'name'],
  ALERTS: ['alertname', 'alertstate', 'severity', 'slo'],
}

interface Selector {
  metric: string
  matchers: { label: string; operator: string; value: string }[]
}

/** Returns what an expression selects, and the labels that it groups or joins by. */
function usedBy(expr: string): { selectors: Selector[]; grouped: string[] } {
  const selectors: Selector[] = []
  const grouped: string[] = []
  const text = ({ from, to }: { from: number; to: number }): string => expr.slice(from, to)
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`cannot read ${expr}`)
      if (node.name === 'GroupingLabels')
        grouped.push(
          ...node.node.getChildren('LabelName').map(text),
          ...node.node.getChildren('Identifier').map(text),
        )
      if (node.name !== 'VectorSelector') return
      const name = node.node.getChild('Identifier')
      const matchers: Selector['matchers'] = []
      const list = node.node.getChild('LabelMatchers')
      for (const matcher of list?.getChildren('UnquotedLabelMatcher') ?? [])
        matchers.push({
          label: text(matcher.getChild('LabelName')!),
          operator: text(matcher.getChild('MatchOp')!),
          value: text(matcher.getChild('StringLiteral')!).slice(1, -1),
        })
      selectors.push({ metric: name ? text(name) : '', matchers })
    },
  })
  return { selectors, grouped }
}

/** The instrument of a metric, also of the parts of a histogram. */
const instrumentBehind = (metric: string): Instrument | undefined =>
  instrumentOf(metric) ?? instrumentOf(metric.replace(/_(bucket|sum|count)$/, ''))

const labelsOf = (metric: string): string[] => [
  ...Object.keys(instrumentBehind(metric)?.labels ?? {}),
  ...(FOREIGN[metric] ?? []),
  ...(metric.endsWith('_bucket') ? ['le'] : []),
  ...(metric.startsWith('slo:') ? ['slo'] : []),
]

/** Returns what is wrong with a selector: a metric, a label or a value that the catalogue lacks. */
function faultsOf({ metric, matchers }: Selector): string[] {
  const instrument = instrumentBehind(metric)
  if (!instrument && !FOREIGN[metric]) return [`there is no ${metric}`]
  return matchers.flatMap(({ label, operator, value }) => {
    if (!labelsOf(metric).includes(label)) return [`${metric} has no label ${label}`]
    const values = instrument?.labels[label]
    return values && operator === '=' && !allows(values, value)
      ? [`${metric} has no ${label}="${value}"`]
      : []
  })
}

/** Labels that a rule gives itself, by label_replace(). */
const givenIn = (expr: string): string[] =>
  [...expr.matchAll(/,\s*"([a-z_]+)", "[$]1"/g)].map(([, label]) => label!)

/** Returns what an expression uses and neither the catalogue nor a rule has: metrics, labels, values. Throws
 * if it can't be read. */
export function faultsIn(expr: string, recorded: ReadonlySet<string | undefined>): string[] {
  const { selectors, grouped } = usedBy(expr)
  const known = [...selectors.flatMap(({ metric }) => labelsOf(metric)), ...givenIn(expr)]
  return [
    ...selectors.filter(({ metric }) => !recorded.has(metric)).flatMap(faultsOf),
    ...grouped.filter((label) => !known.includes(label)).map((label) => `nothing has the label ${label}`),
  ]
}

/** Returns the labels of what an expression selects. */
export const labelsIn = (expr: string): string[] =>
  usedBy(expr).selectors.flatMap(({ metric }) => labelsOf(metric))

/** Returns the names of the catalogue that an expression uses. */
export const instrumentsIn = (expr: string): string[] =>
  usedBy(expr).selectors.flatMap(({ metric }) => instrumentBehind(metric)?.name ?? [])
