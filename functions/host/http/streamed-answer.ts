import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { sqlstate } from '../../../eventing/database/database-errors.ts'
import type { Log } from '../../../monitoring/log.ts'
import { beginAnswer } from './answer.ts'
import { breakOff } from './break-off.ts'
import type { Reply, ReplyStream } from '../reply.ts'

/** Parts are gathered to pieces of at least this many bytes, because every piece costs each hop a write. */
const PIECE_BYTES = 32 * 1024
/** Milliseconds in which a client must take what waits for it, mostly one piece. This is less than what the
 * hops outside allow, so it is the function that breaks off, and its log says why. */
const DRAIN_MS_MAX = 20_000

interface StreamingOptions {
  log: Log
  traceId: string
  /** Gets how to end the answer while it is open, if it has no end of its own. */
  endless?: Set<() => void>
  drainMs?: number
}

/** Writes a reply whose body is a stream, without a length: in chunks. Rejects with what the stream throws
 * before its first part, when nothing has been sent. Whatever fails after it breaks the connection. Resolves
 * when the answer has been written, or the client is gone, and the stream is closed. */
export async function answerStreamed(
  response: ServerResponse,
  reply: Reply & { stream: ReplyStream },
  { log, traceId, endless, drainMs = DRAIN_MS_MAX }: StreamingOptions,
): Promise<void> {
  const { mediaType, parts, isEvents = false } = reply.stream
  const iterator = parts[Symbol.asyncIterator]()
  const close = async (): Promise<void> => void (await iterator.return?.())
  const end = (): void => void close().catch(() => undefined)
  const headers = { 'content-type': mediaType, ...reply.headers }
  if (response.req.method === 'HEAD') {
    await close()
    beginAnswer(response, reply.status, headers)
    return void response.end()
  }
  if (isEvents && response.destroyed) end()
  else if (isEvents) {
    endless?.add(end)
    response.once('close', () => {
      endless?.delete(end)
      end()
    })
  }
  let next = await iterator.next()
  beginAnswer(response, reply.status, headers)
  try {
    for (const writer = new PieceWriter(response, drainMs, isEvents ? 1 : PIECE_BYTES); ;) {
      if (response.destroyed) return await close()
      if (next.done) return writer.end()
      await writer.write(next.value)
      if (!response.destroyed) next = await iterator.next()
    }
  } catch (error) {
    const { message, stack } = error as Error
    const isSlow = error instanceof SlowClientError
    log[isSlow ? 'info' : 'error']('an answer broke off', {
      trace_id: traceId,
      error: message,
      ...(!isSlow && { sqlstate: sqlstate(error), stack }),
    })
    breakOff(response)
    await close()
  }
}

class SlowClientError extends Error {}

/** Gathers parts, and writes them as fast as the client takes them. */
class PieceWriter {
  readonly #response: ServerResponse
  readonly #drainMs: number
  readonly #pieceBytes: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(response: ServerResponse, drainMs: number, pieceBytes: number) {
    this.#response = response
    this.#drainMs = drainMs
    this.#pieceBytes = pieceBytes
  }

  async write(part: string | Buffer): Promise<void> {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    if (this.#bytes < this.#pieceBytes) return
    if (!this.#response.write(this.#take())) await this.#drained()
  }

  end(): void {
    this.#response.end(this.#take())
  }

  #take(): Buffer {
    const piece = Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    return piece
  }

  /** Waits until the client has taken what was written, or is gone. */
  async #drained(): Promise<void> {
    const response = this.#response
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.#drainMs)
    const { signal } = late
    try {
      await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
    } catch (error) {
      if (!signal.aborted) throw error
      throw new SlowClientError(`the client took nothing for ${this.#drainMs / 1000} s`)
    } finally {
      clearTimeout(timer)
      // Removes the other listener.
      late.abort()
    }
  }
}
