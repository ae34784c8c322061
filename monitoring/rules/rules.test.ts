import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { instrumentOf } from '../catalogue.ts'
import { faultsIn } from '../promql-fixture.ts'
import { recorded, RULE_FILES, rules, rulesOf } from './rules-fixture.ts'

/** The rules and alerts of Prometheus, tried by its own tools, and held against the catalogue. */

interface UnitTest {
  alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[]
}

const read = (name: string): string => readFileSync(join(__dirname, name), 'utf8')
const alerts = rules.flatMap(({ alert, ...rule }) => (alert ? [{ ...rule, alert }] : []))
const tests = readdirSync(join(__dirname, 'tests'))

/** Runs a tool of Prometheus here. Rejects with what it printed if it fails. */
const run = (tool: string, ...args: string[]) =>
  promisify(execFile)(tool, args, { cwd: __dirname }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${tool} ${args.join(' ')}:\n${error.stdout}${error.stderr}`)
  })

test('promtool and amtool take the files', async () => {
  await run('promtool', 'check', 'rules', ...RULE_FILES)
  await run('amtool', 'check-config', 'alertmanager.yaml')
})

test('a rule that renames what a cluster measures gives the labels of the catalogue', () => {
  for (const { record, expr, labels = {} } of rulesOf('cluster.yaml')) {
    if (!record) continue
    const kept = /^(?:sum|max|min) by [(]([a-z, ]+)[)]/.exec(expr)![1]!.split(', ')
    expect([record, [...kept, ...Object.keys(labels)].sort()]).toEqual([
      record,
      Object.keys(instrumentOf(record)!.labels).sort(),
    ])
  }
})

test.each(tests)('promtool tries the alerts of tests/%s', (file) =>
  run('promtool', 'test', 'rules', `tests/${file}`),
)

test('each alert fires in one test, and stays quiet in another', () => {
  const tried = tests.flatMap((file) =>
    (parse(read(`tests/${file}`)) as { tests: UnitTest[] }).tests.flatMap((one) => one.alert_rule_test ?? []),
  )
  const missing = alerts.flatMap(({ alert }) => {
    const ends = new Set(
      tried.filter((one) => one.alertname === alert).map((one) => one.exp_alerts.length > 0),
    )
    return [...(ends.has(true) ? [] : [`${alert} fires`]), ...(ends.has(false) ? [] : [`${alert} is quiet`])]
  })
  // It always fires.
  expect(missing).toEqual(['Watchdog is quiet'])
})

test('each alert has a severity and a runbook that names commands which exist', () => {
  const runbooks = readFileSync(join(__dirname, '../../docs/runbooks.md'), 'utf8')
  const [, ...chapters] = runbooks.split(/^## /m)
  expect(chapters.map((chapter) => chapter.split('\n')[0]).sort()).toEqual(
    alerts.map(({ alert }) => alert).sort(),
  )
  for (const chapter of chapters)
    for (const part of ['**Meaning.**', '**Look at.**', '**Do.**']) expect(chapter).toContain(part)
  for (const { alert, labels, annotations } of alerts) {
    expect(annotations?.runbook).toBe(`docs/runbooks.md#${alert.toLowerCase()}`)
    expect(annotations?.summary).toBeTruthy()
    expect(['page', 'ticket', 'none']).toContain(labels?.severity)
  }
  const root = join(__dirname, '../..')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const commands = [...runbooks.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name]) => name!)
  expect(commands.filter((name) => !(name in scripts))).toEqual([])
  const anchor = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  const troubleshooting = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  const anchors = [...troubleshooting.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!))
  const links = [...runbooks.matchAll(/troubleshooting\.md#([^)]+)\)/g)].map(([, link]) => link!)
  expect(links.filter((link) => !anchors.includes(link))).toEqual([])
  const files = [...runbooks.matchAll(/`((?:knative|monitoring)\/[^` ]+)`/g)].map(([, file]) => file!)
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

describe('objectives follow from their formulas', () => {
  const FRONT_DOOR = 'service="front-door",handler=~"/api/.*"'
  const DELAY = 'microbank_notification_delay_seconds'
  const formulas = {
    answers: {
      budget: 1 - 0.999,
      ratio: (window: string) =>
        `(sum(rate(http_requests_total{${FRONT_DOOR},status="5xx"}[${window}])) or vector(0)) ` +
        `/ (sum(rate(http_requests_total{${FRONT_DOOR}}[${window}])) > 0)`,
      bad: (window: string) =>
        `sum(increase(http_requests_total{${FRONT_DOOR},status="5xx"}[${window}])) or vector(0)`,
      total: `sum(increase(http_requests_total{${FRONT_DOOR}}[30d]))`,
    },
    notifications: {
      budget: 1 - 0.99,
      ratio: (window: string) =>
        `1 - sum(rate(${DELAY}_bucket{le=~"5([.]0)?"}[${window}])) / (sum(rate(${DELAY}_count[${window}])) > 0)`,
      bad: (window: string) =>
        `sum(increase(${DELAY}_count[${window}])) - sum(increase(${DELAY}_bucket{le=~"5([.]0)?"}[${window}]))`,
      total: `sum(increase(${DELAY}_count[30d]))`,
    },
  }
  const exprOf = (record: string, slo: string): string | undefined =>
    rules.find((rule) => rule.record === record && rule.labels?.slo === slo)?.expr

  test.each(Object.entries(formulas))('%s', (slo, { budget, ratio, bad, total }) => {
    expect(Number(/vector\((.*)\)/.exec(exprOf('slo:budget', slo)!)![1])).toBeCloseTo(budget, 10)
    for (const window of ['5m', '30m', '1h', '2h', '6h', '1d', '3d'])
      expect([window, exprOf(`slo:bad:ratio_rate${window}`, slo)]).toEqual([window, ratio(window)])
    for (const window of ['1h', '6h', '1d', '3d', '30d'])
      expect([window, exprOf(`slo:bad:increase${window}`, slo)]).toEqual([window, bad(window)])
    expect(exprOf('slo:total:increase30d', slo)).toBe(total)
  })

  test('a burn rate is a part of the budget, times 30 days, by the window', () => {
    const burn = (part: number, hours: number): number => Number(((part * 30 * 24) / hours).toFixed(6))
    for (const [alert, rates] of [
      ['BudgetBurnsFast', [burn(0.02, 1)]],
      ['BudgetBurns', [burn(0.05, 6)]],
      ['BudgetBurnsSlowly', [burn(0.1, 24), burn(0.1, 72)]],
    ] as const) {
      const { expr } = alerts.find((one) => one.alert === alert)!
      const found = [...expr.matchAll(/> ([\d.]+) [*] slo:budget/g)].map(([, rate]) => Number(rate))
      expect([alert, found]).toEqual([alert, rates.flatMap((rate) => [rate, rate])])
    }
  })
})

test('what runbooks ask Prometheus is in the catalogue', () => {
  const runbooks = readFileSync(join(__dirname, '../../docs/runbooks.md'), 'utf8')
  const queries = [...runbooks.matchAll(/`([^`]+)`/g)]
    .map(([, code]) => code!)
    .filter((code) => /^(sum|max|topk|histogram_quantile)\b|^microbank_\w+(\{.*\})?$/.test(code))
  expect(queries.length).toBeGreaterThan(8)
  expect(queries.flatMap((code) => faultsIn(code, recorded).map((fault) => `${code}: ${fault}`))).toEqual([])
})

test('rules use only what the catalogue has: metrics, labels and values', () => {
  const faults = rules.flatMap(({ expr, alert, record }) =>
    faultsIn(expr, recorded).map((fault) => `${alert ?? record}: ${fault}`),
  )
  expect(faults).toEqual([])
  // What it would say of others.
  const wrong = 'sum by (x) (rate(none_total[5m])) / http_requests_total{status="200",user="a"}'
  expect(faultsIn(wrong, recorded)).toEqual([
    'there is no none_total',
    'http_requests_total has no status="200"',
    'http_requests_total has no label user',
    'nothing has the label x',
  ])
})
