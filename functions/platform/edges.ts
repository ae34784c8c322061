import { hasDatabase } from '../contexts.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import type { BankTopology, ShownEdge } from './topology-schema.ts'

const FRONT_DOOR = 'function:front-door'

type Joined = Pick<BankTopology, 'functions' | 'triggers' | 'clocks'> & {
  catalogue: readonly CatalogueEntry[]
}

/** What leads where: from the manifests (Triggers, clocks, contexts), and from what operations declare of
 * their routes. A place is named by its kind and name: `function:transfer`, `broker:default`,
 * `trigger:notify`, `clock:sweep-ledger`, `database:ledger`, `context:payments`, `callers`. */
export function edgesOf({ functions, triggers, clocks, catalogue }: Joined): ShownEdge[] {
  const known = new Set(functions.map(({ name }) => name))
  const edge = (from: string, to: string, kind: ShownEdge['kind']): ShownEdge => ({ from, to, kind })
  const routed = catalogue.filter(({ name }) => known.has(name))
  const contexts = [...new Set(functions.map(({ context }) => context))].filter(hasDatabase)
  const brokers = [...new Set(triggers.map(({ broker }) => broker))]
  const calls = routed.flatMap(({ name, routes }) =>
    [...new Set(routes.flatMap(({ onBehalf = [] }) => onBehalf))].map((context) =>
      edge(`context:${context}`, `function:${name}`, 'call'),
    ),
  )
  return [
    edge('callers', FRONT_DOOR, 'request'),
    ...routed.map(({ name }) => edge(FRONT_DOOR, `function:${name}`, 'request')),
    ...calls,
    ...contexts.map((context) => edge(`context:${context}`, `database:${context}`, 'store')),
    ...contexts.flatMap((context) =>
      brokers.map((broker) => edge(`context:${context}`, `broker:${broker}`, 'publish')),
    ),
    ...triggers.flatMap(({ name, broker, subscriber, dead_letter_sink: sink }) => [
      edge(`broker:${broker}`, `trigger:${name}`, 'filter'),
      ...(subscriber ? [edge(`trigger:${name}`, `function:${subscriber}`, 'deliver')] : []),
      ...(sink ? [edge(`trigger:${name}`, `function:${sink}`, 'dead-letter')] : []),
    ]),
    ...clocks.flatMap(({ name, function: woken }) =>
      woken ? [edge(`clock:${name}`, `function:${woken}`, 'wake')] : [],
    ),
  ]
}
