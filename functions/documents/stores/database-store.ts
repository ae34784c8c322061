import type { Transaction } from '../../host/database/database.ts'

/** Writes the bytes of a file in pieces. Nobody reads them before the file is whole; what a process leaves
 * that dies in between goes with the file's row. */
export async function writePieces(
  db: Transaction,
  fileId: string,
  pieces: AsyncIterable<Buffer>,
): Promise<void> {
  let n = 0
  for await (const piece of pieces)
    await db.query({
      name: 'file-piece-write',
      text: 'insert into file_pieces (file_id, n, bytes) values ($1, $2, $3)',
      values: [fileId, n++, piece],
    })
}

/** Reads the bytes of a file, a piece at a time. */
export async function* readPieces(db: Transaction, fileId: string): AsyncGenerator<Buffer, void> {
  for (let n = 0; ; n++) {
    const [row] = await db.query<{ bytes: Buffer }>({
      name: 'file-piece-read',
      text: 'select bytes from file_pieces where file_id = $1 and n = $2',
      values: [fileId, n],
    })
    if (!row) return
    yield row.bytes
  }
}
