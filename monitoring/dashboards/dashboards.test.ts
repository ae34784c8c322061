import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { catalogue } from '../catalogue.ts'
import { faultsIn, instrumentsIn, labelsIn } from '../promql-fixture.ts'
import { recorded, rules } from '../rules/rules-fixture.ts'
import { boards } from './boards.ts'
import { grafanaDashboard } from './grafana.ts'
import { filledIn } from './promql.ts'

/** The dashboards, held against the catalogue and against the files that Grafana reads. A live bank answers
 * them in tests/bank.test.ts. */

const folder = join(__dirname, '..')
const targets = boards.flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    panel.targets.map(({ expr, legend }) => ({
      where: `${title}: ${panel.title}`,
      expr: filledIn(expr),
      legend,
    })),
  ),
)

test('the files are what their sources give: npm run dashboards', () => {
  const grafana = join(folder, 'grafana/dashboards')
  expect(readdirSync(grafana).sort()).toEqual(boards.map(({ uid }) => `${uid}.json`).sort())
  for (const board of boards)
    expect(JSON.parse(readFileSync(join(grafana, `${board.uid}.json`), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(grafanaDashboard(board))),
    )
})

test('they have the classic form, of which Grafana takes files, and the data source that it is given', () => {
  const { datasources } = parse(readFileSync(join(folder, 'grafana/datasources.yaml'), 'utf8')) as {
    datasources: { uid: string; type: string }[]
  }
  const [{ uid, type } = {}] = datasources
  for (const dashboard of boards.map(grafanaDashboard)) {
    expect(dashboard).toMatchObject({ schemaVersion: 42, panels: expect.any(Array) })
    for (const panel of dashboard.panels!) {
      expect(panel).toMatchObject({ datasource: { uid, type } })
      const letters = (panel as unknown as { targets: { refId: string }[] }).targets.map(({ refId }) => refId)
      expect(new Set(letters).size).toBe(letters.length)
    }
  }
  expect(new Set(boards.map((board) => board.uid)).size).toBe(boards.length)
  for (const { panels } of boards) expect(new Set(panels.map((one) => one.title)).size).toBe(panels.length)
})

test('panels use only what the catalogue and the rules have: metrics, labels and values', () => {
  expect(
    targets.flatMap(({ where, expr }) => faultsIn(expr, recorded).map((fault) => `${where}: ${fault}`)),
  ).toEqual([])
})

test('the panels that only a cluster answers are tried with what its parts measure', () => {
  const { tests } = parse(readFileSync(join(folder, 'rules/tests/cluster.yaml'), 'utf8')) as {
    tests: { promql_expr_test?: { expr: string }[] }[]
  }
  const tried = tests.flatMap((one) => (one.promql_expr_test ?? []).map(({ expr }) => expr))
  const onCluster = boards.flatMap(({ panels }) => panels.filter(({ clusterOnly }) => clusterOnly))
  expect(onCluster.length).toBeGreaterThan(0)
  for (const panel of onCluster) for (const { expr } of panel.targets) expect(tried).toContain(expr)
})

test('what a series is called is made of labels that it has', () => {
  const wrong = targets.flatMap(({ where, expr, legend }) =>
    [...legend.matchAll(/{{(\w+)}}/g)].flatMap(([, label]) =>
      labelsIn(expr).includes(label!) ? [] : [`${where}: ${label}`],
    ),
  )
  expect(wrong).toEqual([])
})

test('all of the catalogue is used by a panel or a rule', () => {
  const used = new Set([...targets, ...rules].flatMap(({ expr }) => instrumentsIn(expr)))
  const unused = catalogue.flatMap(({ name }) => (used.has(name) ? [] : [name]))
  expect(unused).toEqual([])
})
