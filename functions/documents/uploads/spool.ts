import { createHash, randomUUID } from 'node:crypto'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import { EDGE_BYTES } from './file-type.ts'

const PIECE_BYTES = 256 * 1024

/** An upload on its way to a store. It is on disk, so that it takes no memory, its length and hash are known
 * before a store gets it, and it can be given to another store if the first one fails. Its file has no name,
 * so it ends with the process, however that ends. */
export class Spool {
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  bytes = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Rejects with an UnavailableError if there is no room. */
  static async open(): Promise<Spool> {
    const path = join(tmpdir(), `microbank-upload-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600).catch(noRoom)
    try {
      await unlink(path)
    } catch (error) {
      await file.close()
      throw error
    }
    return new Spool(file)
  }

  async add(part: Buffer): Promise<void> {
    this.#hash.update(part)
    for (let done = 0; done < part.length;) {
      const { bytesWritten } = await this.#file
        .write(part, done, part.length - done, this.bytes + done)
        .catch(noRoom)
      done += bytesWritten
    }
    this.bytes += part.length
  }

  /** SHA-256 of everything. Nothing can be added after it. */
  digest(): Buffer {
    return this.#hash.digest()
  }

  async edges(): Promise<{ head: Buffer; tail: Buffer }> {
    const length = Math.min(EDGE_BYTES, this.bytes)
    return { head: await this.#read(0, length), tail: await this.#read(this.bytes - length, length) }
  }

  /** The bytes from the beginning; each call begins anew. */
  async *pieces(): AsyncGenerator<Buffer, void> {
    for (let at = 0; at < this.bytes; at += PIECE_BYTES)
      yield await this.#read(at, Math.min(PIECE_BYTES, this.bytes - at))
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #read(from: number, length: number): Promise<Buffer> {
    const piece = Buffer.alloc(length)
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#file.read(piece, done, length - done, from + done)
      if (bytesRead === 0) throw new Error('the file of an upload is shorter than what was written to it')
      done += bytesRead
    }
    return piece
  }
}

function noRoom(error: NodeJS.ErrnoException): never {
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error
  throw new UnavailableError('there is no room for the upload', { cause: error })
}
