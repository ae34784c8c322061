import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { contexts, databaseContexts, hasDatabase, type Context } from '../functions/contexts.ts'
import { documents, files, operations, read, ROOT, type Manifest } from './support/repository.ts'

/** functions/contexts.ts says which contexts there are. Code derives the rest from it; here stands what files
 * have to say of each besides, which is also the list of what to write for a new one. */

const NEIGHBOUR = 'notifications'

const exists = (pattern: string): boolean => files(new RegExp(`^${pattern}$`)).length > 0

const named = (file: string, name: string): Manifest =>
  documents(file).find(({ metadata }) => metadata.name === name)

/** Whether a context's object in a file is its neighbour's under another name. */
const isLikeNeighbours = (file: string, nameOf: (context: string) => string, context: string): boolean =>
  JSON.stringify(named(file, nameOf(context)) ?? null) ===
  JSON.stringify(named(file, nameOf(NEIGHBOUR))).replaceAll(NEIGHBOUR, context)

/** Whether a context has a PingSource like its neighbour's. It may be more frequent. */
function hasSweep(context: string): boolean {
  const [own, neighbours] = [context, NEIGHBOUR].map((name) => named('eventing/sweeps.yaml', `sweep-${name}`))
  if (!own || !['* * * * *', neighbours.spec.schedule].includes(own.spec.schedule)) return false
  const alike = { ...own, spec: { ...own.spec, schedule: neighbours.spec.schedule } }
  return JSON.stringify(alike) === JSON.stringify(neighbours).replaceAll(NEIGHBOUR, context)
}

const folderOf = (context: string): string => `knative/postgres/${context}/kustomization.yaml`

const job = documents('knative/postgres/migrations.yaml')[0].spec.template.spec.containers[0]

const meter = documents('monitoring/cluster/meter.yaml')[0].spec.template.spec.containers[0]

const secretsOf = ({ envFrom }: Manifest): string[] =>
  envFrom.map(({ secretRef }: Manifest) => secretRef.name)

const brokerSenders = (): string[] => {
  const { spec } = named('knative/isolation/bank.yaml', 'broker')
  return spec.ingress[0].from[0].podSelector.matchExpressions[0].values
}

const postgresFolders = (): string[] =>
  documents('knative/postgres/kustomization.yaml')[0].resources.filter(
    (resource: string) => !resource.endsWith('.yaml'),
  )

/** What a context with a database needs: whether it is there, and a sentence for where it is not. */
function needs(context: string): [isThere: boolean, sentence: string][] {
  const sweep = `sweep-${context}`
  const database = (name: string): string => `${name}-database`
  return [
    [exists(`functions/${context}/sql/0001-.*\\.sql`), `functions/${context}/sql: its first migration`],
    [exists(`functions/${context}/${sweep}\\.ts`), `functions/${context}/${sweep}.ts: its sweep`],
    [exists(`knative/services/${sweep}\\.yaml`), `knative/services/${sweep}.yaml: the sweep’s Service`],
    [hasSweep(context), `eventing/sweeps.yaml: a PingSource ${sweep}, every five minutes at least`],
    [
      exists(folderOf(context)) &&
        read(folderOf(context)) === read(folderOf(NEIGHBOUR)).replaceAll(NEIGHBOUR, context),
      `${folderOf(context)}: a neighbour’s, with its own name`,
    ],
    [postgresFolders().includes(context), `knative/postgres/kustomization.yaml: ${context} in resources`],
    [job.args.includes(context), `knative/postgres/migrations.yaml: ${context} in args`],
    [
      secretsOf(job).includes(`${context}-database-owner`),
      `knative/postgres/migrations.yaml: a secretRef ${context}-database-owner`,
    ],
    [
      secretsOf(meter).includes(`${context}-database-meter`),
      `monitoring/cluster/meter.yaml: a secretRef ${context}-database-meter`,
    ],
    ...['bank', 'data'].map((namespace): [boolean, string] => [
      isLikeNeighbours(`knative/isolation/${namespace}.yaml`, database, context),
      `knative/isolation/${namespace}.yaml: a NetworkPolicy ${database(context)}`,
    ]),
    [
      read('knative/services/patches/all-events.yaml').includes(`{ name: ${context}-events }`),
      `knative/services/patches/all-events.yaml: a secretRef ${context}-events`,
    ],
    [
      brokerSenders().includes(context),
      `knative/isolation/bank.yaml: ${context} in the NetworkPolicy broker`,
    ],
  ]
}

test('A8: what files have to say of each context is there', async () => {
  const declared = await operations()
  const missing = (Object.keys(contexts) as Context[]).flatMap((context) => [
    ...(declared.some((operation) => operation.context === context)
      ? []
      : [`functions/${context}: an operation`]),
    ...(hasDatabase(context) ? needs(context) : []).flatMap(([isThere, sentence]) =>
      isThere ? [] : [sentence],
    ),
  ])
  expect(missing).toEqual([])
})

test('nothing is left of a context that is gone', () => {
  const foldersIn = (folder: string, other: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== other)
      .map(({ name }) => name)
  const gone = (names: string[], known: readonly string[] = databaseContexts): string[] =>
    names.filter((name) => !known.includes(name))
  const contextsIn = (names: string[]): string[] => names.map((name) => name.replace(/-database-.*/, ''))
  expect({
    functions: gone(foldersIn('functions', 'host'), Object.keys(contexts)),
    postgres: gone([...foldersIn('knative/postgres', 'database'), ...postgresFolders()]),
    migrations: gone([...job.args, ...contextsIn(secretsOf(job))]),
    meter: gone(contextsIn(secretsOf(meter))),
    brokerSenders: gone(brokerSenders()),
  }).toEqual({ functions: [], postgres: [], migrations: [], meter: [], brokerSenders: [] })
})

test('no two migrations of a folder have the same number', () => {
  const numbers = files(/\/sql\/\d{4}-.*\.sql$/).map((file) => file.replace(/-[^/]*$/, ''))
  expect(numbers.filter((number, n) => numbers.indexOf(number) !== n)).toEqual([])
})
