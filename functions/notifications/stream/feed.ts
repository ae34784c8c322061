import type { Log } from '../../../monitoring/log.ts'
import { seldom } from '../../../monitoring/seldom.ts'
import type { Database } from '../../host/database/database.ts'
import { notificationColumns } from '../notification.ts'
import { placeOf, type PlacedRow } from './missed.ts'
import { eventOf, type OpenStream } from './open-stream.ts'
import { NO_ID, type StreamPlace } from './place.ts'

/** Milliseconds from one look at the database to the next. */
const EVERY_MS = 250
/** The same while the database does not answer. */
const AWAY_MS = 1_000
const TICK_MS = 1_000
const PAGE_ROWS = 500

const delay = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

interface Joining {
  stream: OpenStream
  joined: (place: StreamPlace) => void
  failed: (error: unknown) => void
}

/** Reads what is new for all streams of this process, with one statement every 250 ms while there are any.
 *
 * It is not woken by NOTIFY: a transaction that notifies holds a lock of the whole database until its
 * commit is on disk, so storing notifications would cost much more (PreCommit_Notify in Postgres'
 * async.c). Nor has it a connection of its own that could die unnoticed: while the database is away it
 * asks again, from where it was. */
export class Feed {
  readonly #db: Database
  readonly #warn: ReturnType<typeof seldom>
  readonly #streams = new Map<string, Set<OpenStream>>()
  #joining: Joining[] = []
  /** Up to where everything has been sent; undefined while nobody listens. */
  #place: StreamPlace | undefined
  #isRunning = false

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#warn = seldom((message, fields) => log.warn(message, fields))
  }

  /** Sends a stream what is new from now on. Resolves with the place after which it does; rejects with an
   * UnavailableError if the database is away. */
  join(stream: OpenStream): Promise<StreamPlace> {
    const joined = new Promise<StreamPlace>((resolve, reject) => {
      this.#joining.push({ stream, joined: resolve, failed: reject })
    })
    if (!this.#isRunning) void this.#run()
    return joined
  }

  leave(stream: OpenStream): void {
    this.#joining = this.#joining.filter((each) => each.stream !== stream)
    const streams = this.#streams.get(stream.userId)
    streams?.delete(stream)
    if (streams?.size === 0) this.#streams.delete(stream.userId)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    const ticking = setInterval(() => this.#tick(), TICK_MS)
    while (this.#joining.length > 0 || this.#streams.size > 0) {
      try {
        const isMore = await this.#look()
        if (!isMore) await delay(EVERY_MS)
      } catch (error) {
        for (const { failed } of this.#joining.splice(0)) failed(error)
        this.#warn('live streams wait for the database', { error: (error as Error).message })
        await delay(AWAY_MS)
      }
    }
    clearInterval(ticking)
    this.#place = undefined
    this.#isRunning = false
  }

  #tick(): void {
    for (const streams of this.#streams.values()) for (const stream of streams) stream.tick()
  }

  /** Sends what is new. Resolves with whether there is more to read. */
  async #look(): Promise<boolean> {
    const place = (this.#place ??= await this.#now())
    // Not in the middle of a statement, which would not look for those who join meanwhile.
    for (const { stream, joined } of this.#joining.splice(0)) {
      const streams = this.#streams.get(stream.userId) ?? new Set()
      this.#streams.set(stream.userId, streams.add(stream))
      joined(place)
    }
    const { rows, horizon } = await this.#read(place)
    for (const row of rows) this.#send(row)
    const isMore = rows.length === PAGE_ROWS
    this.#place = isMore ? placeOf(rows[PAGE_ROWS - 1]!) : { xact: horizon, id: NO_ID }
    return isMore
  }

  #send(row: PlacedRow): void {
    const streams = this.#streams.get(row.user_id)
    if (!streams) return
    const text = eventOf(row)
    for (const stream of streams) stream.offer(row, text)
  }

  async #now(): Promise<StreamPlace> {
    const [row] = await this.#db.query<{ xact: string }>({
      name: 'stream-now',
      text: 'select pg_snapshot_xmin(pg_current_snapshot()) as xact',
    })
    return { xact: BigInt(row!.xact), id: NO_ID }
  }

  /** Reads what transactions have stored for those who listen, as far as no earlier transaction is still
   * running. */
  async #read({ xact, id }: StreamPlace): Promise<{ rows: PlacedRow[]; horizon: bigint }> {
    // `offset 0` keeps the order of the index: by the users' own index Postgres would read all that they
    // have.
    const found = await this.#db.query<(PlacedRow | { id: null }) & { horizon: string }>({
      name: 'stream-read',
      text: `select h.horizon, n.xact, ${notificationColumns}
        from (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) h
        left join lateral (
          select * from (
            select * from notifications
            where (xact, id) > ($1::xid8, $2::uuid) and xact < h.horizon order by xact, id offset 0
          ) recent
          where user_id = any ($3::uuid[]) and channel = 'in-app' limit ${PAGE_ROWS}
        ) n on true
        order by n.xact, n.id`,
      values: [String(xact), id, [...this.#streams.keys()]],
    })
    return {
      rows: found.filter((row): row is PlacedRow & { horizon: string } => row.id !== null),
      horizon: BigInt(found[0]!.horizon),
    }
  }
}
