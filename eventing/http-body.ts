import type { IncomingMessage } from 'node:http'

/** Why the reading of a body was given up. */
export type BodyFault = 'too-large' | 'too-slow' | 'too-many-chunks' | 'broke-off'

/** Thrown if a body can't be read. The message is a sentence for the sender. */
export class BodyError extends Error {
  readonly fault: BodyFault
  constructor(fault: BodyFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** Time for a whole body, in ms, by a clock that can't be set. It is below the 30 s that a server gives a
 * request, so that the sender gets a problem with a name. */
export const BODY_MS_MAX = 20_000
/** This many chunks are taken whatever their size. Above it, chunks must hold 64 bytes on average. A chunk of
 * one byte costs a hundred times its size in processor time, and its framing takes six times its size on the
 * wire. */
const CHUNKS_FREE = 1_000
const CHUNK_BYTES_MEAN_MIN = 64
const START_BYTES = 16 * 1024

export interface BodyLimits {
  bytesMax: number
  /** Default BODY_MS_MAX. */
  timeoutMs?: number
}

/** Reads the body of a request. It never holds more than twice the limit in memory, however many chunks there
 * are: chunks are copied, because a kept slice would keep the whole buffer that it was read into. Rejects
 * with a BodyError; the rest of the body is then read and thrown away. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { bytesMax, timeoutMs = BODY_MS_MAX } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax))
  return new Promise((resolve, reject) => {
    const gathered = gather(Math.min(declared || START_BYTES, bytesMax), bytesMax)
    let chunks = 0
    const giveUp = (error: BodyError): void => {
      stopWaiting()
      request.off('data', take).resume()
      reject(error)
    }
    const take = (chunk: Buffer): void => {
      chunks++
      const bytes = gathered.add(chunk)
      if (bytes > bytesMax) giveUp(tooLarge(bytesMax))
      else if (areTooSmall(chunks, bytes)) giveUp(tooManyChunks())
    }
    // Nearly every body is here before the next turn of the event loop, and needs no timer.
    let timer: NodeJS.Timeout | undefined
    const patience = setImmediate(() => {
      timer = setTimeout(() => giveUp(tooSlow(timeoutMs)), timeoutMs)
    })
    const stopWaiting = (): void => {
      clearImmediate(patience)
      clearTimeout(timer)
    }
    request.on('data', take)
    request.on('end', () => {
      stopWaiting()
      resolve(gathered.bytes())
    })
    request.on('close', () => {
      stopWaiting()
      if (!request.complete) reject(new BodyError('broke-off', 'The body ended too early.'))
    })
    // `close` follows and reports the same.
    request.on('error', () => {})
  })
}

/** Joins chunks in one buffer that doubles as it grows. A body that arrives in one piece is not copied. */
function gather(startBytes: number, bytesMax: number) {
  let first: Buffer | undefined
  let buffer: Buffer | undefined
  let length = 0

  const append = (chunk: Buffer, at: number): void => {
    const needed = at + chunk.length
    if (!buffer || buffer.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.min(bytesMax, Math.max(startBytes, needed * 2)))
      buffer?.copy(larger, 0, 0, at)
      buffer = larger
    }
    chunk.copy(buffer, at)
  }

  return {
    /** Returns the number of bytes so far. Bytes above the limit are counted, not kept. */
    add(chunk: Buffer): number {
      const at = length
      length += chunk.length
      if (length > bytesMax) buffer = first = undefined
      else if (at === 0) first = chunk
      else {
        if (first) append(first, 0)
        first = undefined
        append(chunk, at)
      }
      return length
    },
    bytes: (): Buffer => first ?? buffer?.subarray(0, length) ?? Buffer.alloc(0),
  }
}

/** Says whether this many chunks hold too few bytes. */
export const areTooSmall = (chunks: number, bytes: number): boolean =>
  chunks > CHUNKS_FREE + bytes / CHUNK_BYTES_MEAN_MIN

export const tooLarge = (bytesMax: number): BodyError =>
  new BodyError('too-large', `A body may have at most ${Math.floor(bytesMax / 1000)} kB.`)

export const tooSlow = (timeoutMs: number): BodyError =>
  new BodyError('too-slow', `The whole body must arrive within ${Math.ceil(timeoutMs / 1000)} seconds.`)

export const tooManyChunks = (): BodyError =>
  new BodyError(
    'too-many-chunks',
    `The body came in too many small chunks; send ${CHUNK_BYTES_MEAN_MIN} bytes or more in each.`,
  )
