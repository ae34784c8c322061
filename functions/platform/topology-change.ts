import type { BankTopology } from './topology-schema.ts'

/** The parts of a picture that changed since the one before. */
export type TopologyChange = Pick<BankTopology, 'as_of'> &
  Partial<Pick<BankTopology, 'functions' | 'triggers' | 'brokers'>>

/** What changed from one picture to the next: undefined if nothing did, 'all' if something came, went or
 * leads elsewhere, so that the whole picture is needed. */
export function changeOf(before: BankTopology, after: BankTopology): TopologyChange | 'all' | undefined {
  if (frameOf(before) !== frameOf(after)) return 'all'
  const functions = changed(before.functions, after.functions)
  const triggers = changed(before.triggers, after.triggers)
  const brokers = changed(before.brokers, after.brokers)
  if (functions.length + triggers.length + brokers.length === 0) return undefined
  return {
    as_of: after.as_of,
    ...(functions.length > 0 && { functions }),
    ...(triggers.length > 0 && { triggers }),
    ...(brokers.length > 0 && { brokers }),
  }
}

/** What stays the same while only states change. */
const frameOf = ({ runtime, functions, triggers, brokers, clocks, databases, edges }: BankTopology): string =>
  JSON.stringify([
    runtime,
    [functions, triggers, brokers].map((all) => all.map(({ name }) => name)),
    ...[clocks, databases, edges],
  ])

function changed<Item extends { name: string }>(before: readonly Item[], after: readonly Item[]): Item[] {
  const known = new Map(before.map((item) => [item.name, JSON.stringify(item)]))
  return after.filter((item) => known.get(item.name) !== JSON.stringify(item))
}
