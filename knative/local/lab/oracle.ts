import type { Client, QueryResultRow } from 'pg'
import { sourceOf } from '../../../eventing/contracts/contract.ts'
import { readInvariants } from '../../../functions/ledger/stops/findings.ts'
import type { DatabaseUrls } from '../servers/databases.ts'

/** What the books say of the transactions of a run. */
export interface BooksFindings {
  /** Answered transactions that are not in the books; at most ten are named. */
  lost: number
  lostIds: string[]
}

export interface AccountFindings {
  /** Transactions on the accounts that nobody was told of; at most ten are named. */
  doubled: number
  doubledIds: string[]
  /** The balance of each account, in cents. */
  balances: ReadonlyMap<string, bigint>
}

/** What became of the event of one transaction. */
export interface EffectFinding {
  id: string
  /** How often it took effect. */
  effects: number
  isDeadLetter: boolean
}

export interface LedgerFindings {
  /** False if a check of the books has found something; null if one has not run yet. */
  ok: boolean | null
  found: string
}

/** Reads, beside the functions, what really happened. All of it rejects while a database is away. */
export interface Oracle {
  books(moved: readonly string[]): Promise<BooksFindings>
  accounts(accounts: readonly string[], moved: readonly string[]): Promise<AccountFindings>
  /** Resolves with nothing for a transaction whose event is still on its way. */
  effects(moved: readonly string[]): Promise<EffectFinding[]>
  /** What the bank's own checks of the books have found. */
  ledger(): Promise<LedgerFindings>
  /** Proves all books now. Resolves with what is wrong, at most five sentences. */
  prove(): Promise<string[]>
  /** How many of the events with this source are dead letters. */
  deadLetters(source: string): Promise<number>
  close(): Promise<void>
}

const NAMED_MAX = 10
/** Ids that one statement takes. */
const IDS_MAX = 10_000
const READ_ONLY = '-c default_transaction_read_only=on -c statement_timeout=60000'

/** Reads the databases of a bank, by roles that may see everything, and changes nothing. */
export function openOracle(databases: Readonly<Record<string, DatabaseUrls>>): Oracle {
  const ledger = new BooksReader(databases.ledger!.owner)
  const notifications = new BooksReader(databases.notifications!.owner)
  return {
    async books(moved) {
      const missing = await inParts(moved, (ids) =>
        ledger.query<{ id: string }>(
          `select asked.id from unnest($1::uuid[]) asked(id) where not exists
            (select from transactions t where t.id = asked.id and t.status in ('completed', 'reversed'))`,
          [ids],
        ),
      )
      return { lost: missing.length, lostIds: missing.slice(0, NAMED_MAX).map(({ id }) => id) }
    },
    async accounts(accounts, moved) {
      const posted = await ledger.query<{ id: string }>(
        'select distinct transaction_id as id from entries where account_id = any($1::uuid[])',
        [accounts],
      )
      const told = new Set(moved)
      const untold = posted.filter(({ id }) => !told.has(id))
      const held = await ledger.query<{ id: string; cents: string }>(
        'select id, balance as cents from accounts where id = any($1::uuid[])',
        [accounts],
      )
      return {
        doubled: untold.length,
        doubledIds: untold.slice(0, NAMED_MAX).map(({ id }) => id),
        balances: new Map(held.map(({ id, cents }) => [id, BigInt(cents)])),
      }
    },
    async prove() {
      const faults = await ledger.query<{ proof: string; fault: unknown }>(
        'select proof, fault from verify_ledger() limit 5',
      )
      return faults.map(({ proof, fault }) => `${proof}: ${JSON.stringify(fault)}`)
    },
    async effects(moved) {
      const rows = await inParts(moved, (ids) =>
        notifications.query<{ id: string; effects: string; is_dead: boolean }>(
          `with asked as (select id, event_id_of(id)::text as event_id from unnest($1::uuid[]) id),
          found as (
            select a.id,
              (select count(*) from notifications n
                where n.event_source = $2 and n.event_id = a.event_id and n.consumer = 'notify') as effects,
              exists (select from dead_letters d
                where d.event_source = $2 and d.event_id = a.event_id) as is_dead
            from asked a
          )
          select * from found where effects > 0 or is_dead`,
          [ids, LEDGER],
        ),
      )
      return rows.map(({ id, effects, is_dead: isDeadLetter }) => ({
        ...{ id, effects: Number(effects), isDeadLetter },
      }))
    },
    async ledger() {
      const { open_stops: stops, items } = await readInvariants({
        query: ({ text, values }) => ledger.query(text, values),
      })
      const broken = items.filter(({ ok }) => ok === false).map(({ name }) => `not so: ${name}`)
      if (stops > 0) broken.push(`${stops} stops of postings are open`)
      const unknown = items.filter(({ ok }) => ok === null).map(({ id }) => id)
      if (broken.length > 0) return { ok: false, found: broken.join('; ') }
      return unknown.length > 0
        ? { ok: null, found: `not checked yet: ${unknown.join(', ')}` }
        : { ok: true, found: items.map(({ id, count }) => `${id}: ${count}`).join(', ') }
    },
    async deadLetters(source) {
      const [row] = await notifications.query<{ letters: string }>(
        'select count(distinct event_id) as letters from dead_letters where event_source = $1',
        [source],
      )
      return Number(row!.letters)
    },
    async close() {
      await Promise.all([ledger.close(), notifications.close()])
    },
  }
}

const LEDGER = sourceOf({ context: 'ledger' })

async function inParts<Row>(ids: readonly string[], read: (ids: readonly string[]) => Promise<Row[]>) {
  const rows: Row[] = []
  for (let from = 0; from < ids.length; from += IDS_MAX)
    rows.push(...(await read(ids.slice(from, from + IDS_MAX))))
  return rows
}

/** One connection to a database, which is made anew after it broke. */
class BooksReader {
  readonly #url: string
  #client: Promise<Client> | undefined

  constructor(url: string) {
    this.#url = url
  }

  /** Asks once more over a new connection if the one that was there has broken, as after a kill. */
  async query<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const isOld = this.#client !== undefined
    try {
      return await this.#ask<Row>(text, values)
    } catch (error) {
      if (!isOld) throw error
      return this.#ask<Row>(text, values)
    }
  }

  async #ask<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const connecting = (this.#client ??= this.#connect())
    try {
      return (await (await connecting).query<Row>(text, values)).rows
    } catch (error) {
      if (this.#client === connecting) this.#client = undefined
      void connecting.then((client) => client.end()).catch(() => undefined)
      throw error
    }
  }

  async close(): Promise<void> {
    const connecting = this.#client
    this.#client = undefined
    await connecting?.then((client) => client.end()).catch(() => undefined)
  }

  async #connect(): Promise<Client> {
    const { Client } = (await import('pg')).default
    const client = new Client({
      ...{ connectionString: this.#url, options: READ_ONLY, application_name: 'lab' },
      ...{ connectionTimeoutMillis: 5_000, query_timeout: 65_000 },
    })
    // Whoever uses the connection learns of its end by their statement.
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}
