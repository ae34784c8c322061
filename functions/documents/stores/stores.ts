import { createHash } from 'node:crypto'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Transaction } from '../../host/database/database.ts'
import { ProblemError } from '../../host/problems.ts'
import type { Tools } from '../../host/tools.ts'
import { documentProblems } from '../refusals.ts'
import { readPieces, writePieces } from './database-store.ts'
import type { Bucket } from './s3.ts'
import { itFailed, itWorked, mayTry, type StoreAttempt } from './store-health.ts'

/** Bytes to store. */
export interface NewFile {
  bytes: number
  sha256: Buffer
  mediaType: string
  /** Gives the bytes from the beginning, each time. */
  pieces: () => AsyncIterable<Buffer>
}

interface StoredFileRow {
  store: 's3' | 'database'
  sha256: Buffer
  /** It was moved to S3 a while ago, and is still in the database. */
  is_in_both: boolean
}

/** Longer than writing to S3 can take. */
const S3_WRITE_TIME_MAX = '2 minutes'

/** Thrown if the store has no such file, though it should, or gives other bytes. */
class LostFileError extends Error {}

const changed = (): Error => new UnavailableError('the document was changed a moment ago')

/** Milliseconds. Somebody who takes longer for a piece reads slowly. */
const READER_MS_MAX = 1_000

/** Milliseconds for a whole file to be read by nobody but the bank: as many as for one to be written. A store
 * that sends it by drops is never silent. */
const CHECK_MS_MAX = 15_000

type StoreTools = Pick<Tools, 'db' | 'log' | 'config'>

/** The stores of a process. */
export class Stores {
  readonly #db: StoreTools['db']
  readonly #log: StoreTools['log']
  /** Undefined if only the database is configured. */
  readonly bucket: Bucket | undefined

  constructor({ db, log, config }: StoreTools) {
    this.#db = db
    this.#log = log
    this.bucket = bucketOf(config)
  }

  /** Writes a file: to S3, or to the database if S3 is not configured, resting or failing. Resolves with its
   * id. It is not whole, and so nobody sees it, before keep() is called with that id. */
  async write(file: NewFile): Promise<string> {
    const attempt = await this.mayTryS3()
    const [row] = await this.#db.query<{ id: string }>({
      name: 'file-begin',
      text: `insert into stored_files (bytes, sha256, media_type, s3_written_at)
        values ($1, $2, $3, case when $4 then now() end) returning id`,
      values: [file.bytes, file.sha256, file.mediaType, attempt !== undefined],
    })
    const { id } = row!
    const isInS3 = attempt !== undefined && (await this.putToS3(id, file, attempt))
    if (!isInS3) await writePieces(this.#db, id, file.pieces())
    await this.#db.query({
      name: 'file-written',
      text: `update stored_files set store = $2 where id = $1`,
      values: [id, isInS3 ? 's3' : 'database'],
    })
    return id
  }

  /** Returns leave for one attempt; undefined if S3 is not configured or rests. */
  async mayTryS3(): Promise<StoreAttempt | undefined> {
    return this.bucket && (await mayTry(this.#db))
  }

  /** Says whether the file is in S3 now. If not, the store has a rest. */
  async putToS3(id: string, file: NewFile, attempt: StoreAttempt): Promise<boolean> {
    const { putObject } = await import('./s3.ts')
    return this.#attempt(attempt, 'write', id, (bucket) => putObject(bucket, { name: id, ...file }))
  }

  /** Says whether the file is no longer in S3. If the store fails, it has a rest. */
  async #deleteFromS3(id: string): Promise<boolean> {
    const attempt = await this.mayTryS3()
    if (!attempt) return false
    const { deleteObject } = await import('./s3.ts')
    return this.#attempt(attempt, 'remove', id, (bucket) => deleteObject(bucket, id))
  }

  async #attempt(
    attempt: StoreAttempt,
    what: string,
    id: string,
    work: (bucket: Bucket) => Promise<void>,
  ): Promise<boolean> {
    try {
      await work(this.bucket!)
    } catch (error) {
      this.#log.warn(`the store could not ${what} a file`, { file: id, error: (error as Error).message })
      await itFailed(this.#db, attempt)
      return false
    }
    await itWorked(this.#db)
    return true
  }

  /** Reads a whole file, a piece at a time. Checks its hash before it gives the last piece, and throws if it
   * is another one. Throws an UnavailableError while the store is down, and a ProblemError (410) before the
   * first piece if the file is lost. */
  async *read(id: string): AsyncGenerator<Buffer, void> {
    const file = await this.#find(id)
    let hasBegun = false
    try {
      for await (const piece of this.#readFrom(file.store, id, file)) {
        hasBegun = true
        yield piece
      }
      return
    } catch (error) {
      if (!(error instanceof LostFileError) || hasBegun) throw error
      this.#log.error('a store has lost a file', { file: id, error: error.message })
      if (!file.is_in_both)
        throw new ProblemError(
          documentProblems.lost,
          'If you need it now, upload it again; delete a statement, and have it filed again.',
        )
    }
    yield* this.#readFrom('database', id, file)
  }

  async *#readFrom(
    store: StoredFileRow['store'],
    id: string,
    { store: place, sha256 }: StoredFileRow,
  ): AsyncGenerator<Buffer, void> {
    const hash = createHash('sha256')
    let held: Buffer | undefined
    for await (const piece of store === 's3' ? this.#readS3(id) : readPieces(this.#db, id)) {
      hash.update(piece)
      if (held) yield held
      held = piece
    }
    if (!hash.digest().equals(sha256)) {
      // They may have been removed, or moved to the other store, while they were read.
      if ((await this.#find(id)).store !== place) throw changed()
      throw new LostFileError(`the bytes of the file ${id} in the store ${store} are not what was stored`)
    }
    if (held) yield held
  }

  /** Says whether S3 gives a file's bytes as they were stored; undefined if it does not answer in time, or
   * nobody has the file any more. */
  async isInS3(id: string, sha256: Buffer, msMax = CHECK_MS_MAX): Promise<boolean | undefined> {
    const endsAt = performance.now() + msMax
    const hash = createHash('sha256')
    try {
      for await (const piece of this.#readS3(id)) {
        if (performance.now() > endsAt) return undefined
        hash.update(piece)
      }
    } catch (error) {
      if (error instanceof UnavailableError) return undefined
      if (error instanceof LostFileError) return false
      throw error
    }
    return hash.digest().equals(sha256)
  }

  /** Throws an UnavailableError if there is no such file that is whole. */
  async #find(id: string): Promise<StoredFileRow> {
    const [file] = await this.#db.query<StoredFileRow>({
      name: 'file-find',
      text: `select store, sha256, moved_at is not null as is_in_both from stored_files where id = $1 and state = 'whole'`,
      values: [id],
    })
    if (!file) throw changed()
    return file
  }

  async *#readS3(id: string): AsyncGenerator<Buffer, void> {
    const attempt = await this.mayTryS3()
    if (!attempt) throw new UnavailableError('the store of this document does not answer')
    const { getObject, StoreError } = await import('./s3.ts')
    let isWorking = true
    let isReaderSlow = false
    try {
      for await (const part of await getObject(this.bucket!, id)) {
        const givenAt = performance.now()
        yield part
        isReaderSlow ||= performance.now() - givenAt > READER_MS_MAX
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // It is not the store's health that fails here: the object is lost.
      if (error.isGone) {
        await this.#find(id)
        throw new LostFileError(`the file ${id} is not in its store`, { cause: error })
      }
      isWorking = false
      this.#log.warn('the store could not read a file', { file: id, error: error.message })
      // A store may end what nobody takes from it.
      if (!isReaderSlow) await itFailed(this.#db, attempt)
      throw new UnavailableError('the store of this document does not answer', { cause: error })
    } finally {
      // Also if the reader has left.
      if (isWorking) await itWorked(this.#db)
    }
  }

  /** Removes files that nobody has any more, as far as their stores answer; the sweep does the rest. */
  async remove(ids: readonly (string | null)[]): Promise<void> {
    for (const id of ids) if (id) await this.#remove(id)
  }

  async #remove(id: string): Promise<void> {
    try {
      const [file] = await this.#db.query<{ s3: 'no' | 'yes' | 'unsure' }>({
        name: 'file-dead',
        // Not the documents are asked, but the row itself: while a document gets the file, this waits for its
        // row, and would then still not see the document.
        text: `update stored_files set state = 'dead' where id = $1 and state <> 'whole'
          returning case
            when s3_written_at is null then 'no'
            when store = 's3' or s3_written_at < now() - interval '${S3_WRITE_TIME_MAX}' then 'yes'
            else 'unsure'
          end as s3`,
        values: [id],
      })
      // Somebody may be writing it, and what comes after its removal would stay for ever.
      if (!file || file.s3 === 'unsure') return
      if (file.s3 === 'yes' && !(await this.#deleteFromS3(id))) return
      await this.#db.query({
        name: 'file-remove',
        text: `delete from stored_files where id = $1 and state = 'dead'`,
        values: [id],
      })
    } catch (error) {
      this.#log.warn('a file was left to the sweep', { file: id, error: (error as Error).message })
    }
  }
}

/** Settings of an operation that reads or writes files. */
export const storeSettings = ['DOCUMENT_STORE_URL', 'DOCUMENT_STORE_KEY_ID', 'DOCUMENT_STORE_KEY'] as const

export const createStores = (tools: StoreTools): Stores => new Stores(tools)

/** Makes files whole, in the database transaction that gives them to a document. Throws if the sweep has
 * taken one, because it took too long to write. */
export async function keep(tx: Transaction, ids: readonly string[]): Promise<void> {
  const kept = await tx.query({
    name: 'files-keep',
    text: `update stored_files set state = 'whole' where id = any ($1) and state = 'writing' returning id`,
    values: [ids],
  })
  if (kept.length < ids.length) throw new UnavailableError('it took too long to store the file')
}

/** Marks files as dead, in the database transaction that takes them from a document. */
export async function letGo(tx: Transaction, ids: readonly (string | null)[]): Promise<void> {
  await tx.query({
    name: 'files-let-go',
    text: `update stored_files set state = 'dead' where id = any ($1)`,
    values: [ids.filter((id) => id !== null)],
  })
}

function bucketOf({
  DOCUMENT_STORE_URL: url,
  DOCUMENT_STORE_REGION: region,
  DOCUMENT_STORE_KEY_ID: keyId,
  DOCUMENT_STORE_KEY: key,
}: StoreTools['config']): Bucket | undefined {
  if (url === undefined) return undefined
  if (!keyId || !key) throw new Error('DOCUMENT_STORE_URL needs DOCUMENT_STORE_KEY_ID and DOCUMENT_STORE_KEY')
  return { url, region, keyId, key }
}
