import type { Tools } from '../../host/tools.ts'
import { deletePieces, readPieces } from './database-store.ts'
import type { Stores } from './stores.ts'

/** Files that one sweep looks at, at most: the next one goes on. */
const FILES_MAX = 200
/** A file that nobody has finished after this time is nobody's. */
const WRITING_TIME_MAX = '1 hour'
/** What was moved to S3 stays in the database for this long, for those who are reading it. */
const KEPT_TIME = '15 minutes'

type SweepTools = Pick<Tools, 'db' | 'log'>

/** Removes the bytes of files that no document has: dead ones, and those of processes that died while they
 * wrote. Resolves with their number. Files in a store that does not answer wait for the next sweep. */
export async function removeOrphans({ db, log }: SweepTools, stores: Stores): Promise<number> {
  const orphans = await db.query<{ id: string }>({
    name: 'files-orphans',
    text: `select id from stored_files
      where state = 'dead' or (state = 'writing' and created_at < now() - interval '${WRITING_TIME_MAX}')
      order by created_at limit ${FILES_MAX}`,
  })
  await stores.remove(orphans.map(({ id }) => id))
  if (orphans.length > 0) log.info('removed files that nobody has', { files: orphans.length })
  return orphans.length
}

interface FileToMove {
  id: string
  bytes: number
  sha256: Buffer
  media_type: string
}

/** Moves files that are in the database to S3. Resolves with the number moved. A crash in the middle leaves
 * the file in the database, and S3 gets the same bytes again. */
export async function moveToS3({ db, log }: SweepTools, stores: Stores): Promise<number> {
  let moved = 0
  if (!(await stores.mayTryS3())) return moved
  const files = await db.query<FileToMove>({
    name: 'files-to-move',
    text: `select id, bytes, sha256, media_type from stored_files
      where state = 'whole' and store = 'database' order by id limit ${FILES_MAX}`,
  })
  for (const { id, bytes, sha256, media_type: mediaType } of files) {
    // First, so that whoever removes the file meanwhile knows that it may get to S3.
    const begun = await db.query({
      name: 'file-begin-move',
      text: `update stored_files set s3_written_at = now() where id = $1 and state = 'whole' returning id`,
      values: [id],
    })
    if (begun.length === 0) continue
    const isThere = await stores.putToS3(id, {
      ...{ bytes, sha256, mediaType },
      pieces: () => readPieces(db, id),
    })
    if (!isThere) break
    await db.query({
      name: 'file-moved',
      text: `update stored_files set store = 's3', moved_at = now() where id = $1`,
      values: [id],
    })
    moved++
  }
  if (moved > 0) log.info('moved files from the database to S3', { files: moved })
  return moved
}

/** Removes from the database what was moved some time ago. */
export async function removeMoved({ db }: SweepTools): Promise<void> {
  const moved = await db.query<{ id: string }>({
    name: 'files-moved',
    text: `select id from stored_files where moved_at < now() - interval '${KEPT_TIME}' limit ${FILES_MAX}`,
  })
  for (const { id } of moved) {
    await deletePieces(db, id)
    await db.query({
      name: 'file-move-over',
      text: `update stored_files set moved_at = null where id = $1`,
      values: [id],
    })
  }
}
