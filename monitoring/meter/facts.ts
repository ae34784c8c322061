import type { Client, DatabaseError } from 'pg'
import { allows, instrumentOf, type Sample } from '../catalogue.ts'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import { seldom } from '../seldom.ts'

/** What the databases of the contexts know. */
export interface Facts {
  /** What was read last, as samples of the catalogue. A context that was not read yet has none, and one that
   * does not answer only its `pg_up`, 0. */
  samples(): Sample[]
  /** Ends reading, and the connections. Those of a server that does not answer are cut after two seconds. */
  stop(): Promise<void>
}

export interface FactsOptions {
  /** By context: the postgres:// URL of its role for the meter. */
  databases: Readonly<Record<string, string>>
  log: Log
  /** How often facts() is read, and what has come is counted. */
  everyMs?: number
  /** How often slow_facts() is read, if it is not slow. */
  slowEveryMs?: number
  /** What is counted is this much older than every open transaction. Not less than 60,000 but in tests: see
   * facts_horizon(). */
  slackMs?: number
  /** The least pause after slow_facts(), in times of what it took. */
  slowPause?: number
}

const DEFAULTS = { everyMs: 15_000, slowEveryMs: 60_000, slackMs: 60_000, slowPause: 100 }
// The role's statement_timeout is 5 s: the server ends a slow statement first, and says why.
const ANSWER_MS_MAX = 6_000
const STOP_MS_MAX = 2_000
/** The SQLSTATE of a statement that took longer than statement_timeout. */
const QUERY_CANCELED = '57014'
/** Rows that one call counts. A million take six seconds. */
const ROWS_MAX = 100_000

/** Reads the contexts' facts again and again, over one connection to each. Each context has its own turns, so
 * one that is slow or away holds none of the others up. */
export function startFacts({ databases, log, ...given }: FactsOptions): Facts {
  const settings = { ...DEFAULTS, ...given }
  const readers = Object.entries(databases).map(([context, url]) => startReader(context, url, log, settings))
  return {
    samples: () => readers.flatMap((reader) => reader.samples()),
    stop: async () => void (await Promise.all(readers.map((reader) => reader.stop()))),
  }
}

/** What was read of one context, by how it is read. */
interface Read {
  counted: Sample[]
  fast: Sample[]
  slow: Sample[]
}

interface Reader {
  samples(): Sample[]
  stop(): Promise<void>
}

function startReader(context: string, url: string, log: Log, settings: typeof DEFAULTS): Reader {
  const say = { failed: seldom(log.warn), unknown: seldom(log.warn), slow: seldom(log.warn) }
  let read: Read | undefined
  let client: Client | undefined
  let hasTried = false
  let isStopped = false
  let wasCounted = false
  let slowDueAt = -Infinity
  let timer: NodeJS.Timeout | undefined

  const rows = async (text: string, values: unknown[] = []): Promise<Sample[]> => {
    const result = await client!.query<Row>({ text, values })
    const { known, unknown } = toSamples(context, result.rows)
    if (unknown.length > 0) say.unknown('the catalogue lacks a fact', { context, facts: unknown.slice(0, 5) })
    return known
  }

  /** Counts what has come, in as many steps as that takes. The first time, all rows are counted once more in
   * the background: nobody knows what was done to the clock while no meter ran. */
  const count = async (): Promise<Sample[]> => {
    const { rows: found } = await client!.query<{ horizon: Date }>({
      text: `select facts_horizon($1 * interval '1 millisecond') as horizon`,
      values: [settings.slackMs],
    })
    const { horizon } = found[0]!
    for (let before = -1; ;) {
      const counted = await rows('select * from count_facts($1, $2, $3)', [horizon, ROWS_MAX, !wasCounted])
      wasCounted = true
      const upto = counted.find(({ name }) => name === 'microbank_facts_horizon_timestamp_seconds')!.value
      // Half-counted totals would look like a rush of business. If the clock was set back, `upto` stays.
      if (isStopped || upto === before || upto * 1_000 >= horizon.getTime() - 1_000) return counted
      before = upto
    }
  }

  /** Reads slow_facts(). The larger the tables, the less often: it takes a hundredth of the time at most. If
   * it takes longer than the role may, only its series are missing: the database is not down. */
  const readSlow = async (dueAt: number): Promise<Sample[]> => {
    const beganAt = performance.now()
    try {
      return await rows('select * from slow_facts()')
    } catch (error) {
      if ((error as DatabaseError).code !== QUERY_CANCELED) throw error
      say.slow('the slow facts of a context take too long, and are left out', { context })
      return []
    } finally {
      const tookMs = performance.now() - beganAt
      slowDueAt = dueAt + Math.max(settings.slowEveryMs - settings.everyMs / 2, settings.slowPause * tookMs)
    }
  }

  const turn = async (): Promise<void> => {
    const startedAt = performance.now()
    try {
      client ??= await connect(url, () => (client = undefined))
      const counted = await count()
      const fast = await rows('select * from facts()')
      const slow = startedAt >= slowDueAt ? await readSlow(startedAt) : (read?.slow ?? [])
      read = { counted, fast, slow }
    } catch (error) {
      // Old values would look like a bank in which nothing happens.
      read = undefined
      slowDueAt = -Infinity
      const broken = client
      client = undefined
      // Not waited for: a server that is away never answers.
      void broken?.end().catch(() => undefined)
      const { message, code: sqlstate } = error as DatabaseError
      if (!isStopped)
        say.failed('the facts of a context could not be read', { context, error: message, sqlstate })
    }
    hasTried = true
    if (isStopped) return
    timer = setTimeout(next, Math.max(0, startedAt + settings.everyMs - performance.now()))
    timer.unref()
  }

  let going = turn()
  const next = (): void => void (going = turn())

  return {
    samples: () => {
      const up = { name: 'pg_up', labels: { context }, value: read ? 1 : 0 }
      if (read) return [up, ...read.counted, ...read.fast, ...read.slow]
      return hasTried ? [up] : []
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      const ended = going.then(() => client?.end()).catch(() => undefined)
      if (!(await inTime(STOP_MS_MAX, ended))) client?.connection.stream.destroy()
    },
  }
}

async function connect(url: string, onEnd: () => void): Promise<Client> {
  // Nobody needs the driver before the first turn.
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString: url,
    application_name: 'meter',
    connectionTimeoutMillis: ANSWER_MS_MAX,
    query_timeout: ANSWER_MS_MAX,
    keepAlive: true,
  })
  // A server that stops ends idle connections, too.
  client.on('error', onEnd)
  await client.connect()
  return client
}

interface Row {
  name: string
  labels: Record<string, string>
  /** A numeric of Postgres. */
  value: string
}

/** Makes samples of rows, with the label `context` where the catalogue has one. Those that it lacks are left
 * out: their names are in `unknown`. */
function toSamples(context: string, rows: readonly Row[]): { known: Sample[]; unknown: string[] } {
  const known: Sample[] = []
  const unknown: string[] = []
  for (const { name, labels: given, value } of rows) {
    const instrument = instrumentOf(name)
    const labels = instrument && 'context' in instrument.labels ? { context, ...given } : given
    const names = Object.keys(labels)
    const fits =
      instrument?.by === 'fact' &&
      names.length === Object.keys(instrument.labels).length &&
      names.every((label) => allows(instrument.labels[label], labels[label]!))
    if (fits) known.push({ name, labels, value: Number(value) })
    else unknown.push(`${name}${JSON.stringify(labels)}`)
  }
  return { known, unknown }
}
