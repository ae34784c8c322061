import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface PrometheusRule {
  record?: string
  alert?: string
  expr: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/** The files of rules, in this folder. */
export const RULE_FILES = ['slo.yaml', 'alerts.yaml', 'cluster.yaml']

export const rulesOf = (name: string): PrometheusRule[] =>
  (
    parse(readFileSync(join(__dirname, name), 'utf8')) as { groups: { rules: PrometheusRule[] }[] }
  ).groups.flatMap(({ rules }) => rules)

export const rules = RULE_FILES.flatMap(rulesOf)
/** The names that rules record. Alerts have none. */
export const recorded = new Set(rules.map(({ record }) => record))
