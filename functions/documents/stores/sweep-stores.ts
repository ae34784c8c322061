import type { Tools } from '../../host/tools.ts'
import { readPieces } from './database-store.ts'
import type { Stores } from './stores.ts'

/** Files that one sweep looks at, at most: the next one goes on. */
const FILES_MAX = 200
/** A file that nobody has finished after this time is nobody's. */
const WRITING_TIME_MAX = '1 hour'
/** What was moved to S3 stays in the database for this long, for those who are reading it. */
const KEPT_TIME = '15 minutes'

type SweepTools = Pick<Tools, 'db' | 'log'>

/** Removes the bytes of files that no document has: dead ones, and those of processes that died while they
 * wrote. Files in a store that does not answer, and those left at `endsAt`, wait for the next sweep. */
export async function removeOrphans({ db }: SweepTools, stores: Stores, endsAt: number): Promise<void> {
  const orphans = await db.query<{ id: string }>({
    name: 'files-orphans',
    text: `select id from stored_files
      where state = 'dead' or (state = 'writing' and created_at < now() - interval '${WRITING_TIME_MAX}')
      order by created_at limit ${FILES_MAX}`,
  })
  for (const { id } of orphans) if (performance.now() < endsAt) await stores.remove([id])
}

interface FileToMove {
  id: string
  bytes: number
  sha256: Buffer
  media_type: string
}

/** Moves files that are in the database to S3; what is left at `endsAt` waits for the next sweep. A crash in
 * the middle leaves the file in the database, and S3 gets the same bytes again. */
export async function moveToS3({ db, log }: SweepTools, stores: Stores, endsAt: number): Promise<void> {
  if (!stores.bucket) return
  let moved = 0
  const files = await db.query<FileToMove>({
    name: 'files-to-move',
    text: `select id, bytes, sha256, media_type from stored_files
      where state = 'whole' and store = 'database' order by move_failures, id limit ${FILES_MAX}`,
  })
  for (const { id, bytes, sha256, media_type: mediaType } of files) {
    const attempt = performance.now() < endsAt ? await stores.mayTryS3() : undefined
    if (!attempt) break
    // First, so that whoever removes the file meanwhile knows that it may get to S3.
    const begun = await db.query({
      name: 'file-begin-move',
      text: `update stored_files set s3_written_at = now() where id = $1 and state = 'whole' returning id`,
      values: [id],
    })
    if (begun.length === 0) continue
    const file = { bytes, sha256, mediaType, pieces: () => readPieces(db, id) }
    const isThere = await stores.putToS3(id, file, attempt)
    if (!isThere) {
      // It may be the fault of this file. The next sweep begins with others.
      await db.query({
        name: 'file-move-failed',
        text: 'update stored_files set move_failures = move_failures + 1 where id = $1',
        values: [id],
      })
      break
    }
    await db.query({
      name: 'file-moved',
      text: `update stored_files set store = 's3', moved_at = now() where id = $1`,
      values: [id],
    })
    moved++
  }
  if (moved > 0) log.info('moved files from the database to S3', { files: moved })
}

/** Removes from the database what was moved some time ago, after it has read it from S3: a store may say that
 * it has a file, and not have kept it. Then the database's is the only one, and is in use again. What is left
 * at `endsAt`, or can't be read now, waits for the next sweep. */
export async function removeMoved({ db, log }: SweepTools, stores: Stores, endsAt: number): Promise<void> {
  // In random order, so that each gets a turn even if some can't be read.
  const moved = await db.query<{ id: string; sha256: Buffer }>({
    name: 'files-moved',
    text: `select id, sha256 from stored_files
      where moved_at < now() - interval '${KEPT_TIME}' and state = 'whole' order by random() limit ${FILES_MAX}`,
  })
  for (const { id, sha256 } of moved) {
    if (performance.now() > endsAt) return
    const isThere = await stores.isInS3(id, sha256)
    if (isThere === undefined) continue
    if (!isThere) {
      log.error('the store has not kept a file; the one in the database is in use again', { file: id })
      await db.query({
        name: 'file-move-undone',
        text: `update stored_files set store = 'database', moved_at = null, move_failures = move_failures + 1
          where id = $1 and moved_at is not null`,
        values: [id],
      })
      continue
    }
    // If another sweep has undone the move meanwhile, the pieces are in use.
    await db.query({
      name: 'file-move-over',
      text: `with over as (
          update stored_files set moved_at = null where id = $1 and moved_at is not null returning id
        )
        delete from file_pieces where file_id in (select id from over)`,
      values: [id],
    })
  }
}
