import { groupsOf } from '../../eventing/groups.ts'
import { databaseContexts } from '../../functions/contexts.ts'
import type { Bank } from './bank.ts'
import { manifests, operations } from './repository.ts'
import { until } from './until.ts'

/** Resolves with the event types that a Trigger delivers and that this bank has not emitted yet. */
export async function unheardTypes(bank: Bank): Promise<string[]> {
  const heard = new Set<string>()
  for (const context of databaseContexts)
    for (const { type } of await bank.sql<{ type: string }>(context, 'select distinct type from events'))
      heard.add(type)
  const consumed = (await operations()).flatMap(({ consumes }) =>
    !consumes || consumes.contracts === 'any' ? [] : consumes.contracts.map(({ type }) => type),
  )
  return [...new Set(consumed)].filter((type) => !heard.has(type)).sort()
}

/** Resolves with the Triggers that have delivered nothing yet, because no event had what they filter by. */
export async function unheardTriggers(bank: Bank): Promise<string[]> {
  const emitted: Record<string, string>[] = []
  for (const context of databaseContexts)
    for (const { type, extensions } of await bank.sql<{ type: string; extensions: object | null }>(
      context,
      'select distinct type, extensions from events',
    ))
      emitted.push({ type, ...groupsOf(type), ...extensions })
  return manifests('Trigger')
    .filter(({ spec }) => {
      const filter = Object.entries(spec.filter.attributes as Record<string, string>)
      return !emitted.some((event) => filter.every(([name, value]) => event[name] === value))
    })
    .map(({ metadata }) => metadata.name as string)
}

/** Publishes every event of the bank once more, and waits until each Trigger has delivered what it got. */
export async function publishAgain(bank: Bank): Promise<void> {
  await settled(bank)
  for (const context of databaseContexts) {
    await bank.sql(
      context,
      `insert into outbox_pending (event_ids, claimed_until)
        select array_agg(id), now() from (select id, row_number() over () / 100 as part from events) e group by part`,
    )
    await bank.ping(`sweep-${context}`)
  }
  await settled(bank)
}

/** Waits until no event is left to publish or to deliver. */
export async function settled(bank: Bank): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    for (const context of databaseContexts) {
      const rows = await bank.sql(context, 'select from outbox_pending limit 1')
      if (rows.length > 0) return false
    }
    const { brokers } = await bank.status()
    return brokers.every(({ triggers }) => triggers.every(({ backlog }) => backlog === 0))
  }
  let quiet = 0
  await until(async () => ((quiet = (await isSettled()) ? quiet + 1 : 0), quiet === 3), {
    timeoutMs: 240_000,
    everyMs: 200,
    what: 'all events to be delivered',
  })
}

/** Tables that a sweep changes though nothing happened: what it has checked, and indexed, and when, how
 * often somebody asked, which it forgets when that time is over, and how far the meter has counted. */
const RESTLESS = [
  ...['outbox_pending', 'check_walks', 'checked', 'checked_holds', 'ledger_checks', 'sweep_turns'],
  ...['search_blocks', 'search_queue', 'rate_limits', 'facts_progress', 'facts_totals'],
]

/** Resolves with a digest of each table of all databases, by its name. */
export async function stateOf(bank: Bank): Promise<Record<string, string>> {
  const state: Record<string, string> = {}
  for (const context of databaseContexts) {
    const tables = await bank.sql<{ name: string }>(
      context,
      `select c.relname as name from pg_class c where c.relkind in ('r', 'p') and not c.relispartition
        and c.relnamespace = 'public'::regnamespace order by 1`,
    )
    for (const { name } of tables.filter(({ name }) => !RESTLESS.includes(name))) {
      const [row] = await bank.sql<{ rows: string }>(
        context,
        `select count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as rows from "${name}" t`,
      )
      state[`${context}.${name}`] = row!.rows
    }
  }
  return state
}
