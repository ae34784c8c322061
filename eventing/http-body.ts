import type { IncomingMessage } from 'node:http'

/** Why a body was given up. */
export type BodyFault = 'too-large' | 'too-slow' | 'too-many-chunks' | 'broke-off'

/** Thrown where a body can't be taken; the message is a sentence for its sender. */
export class BodyError extends Error {
  readonly fault: BodyFault
  constructor(fault: BodyFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** How long a whole body may take, by a clock that no jump changes. Below the 30 s that a server gives a
 * request, so that its sender gets a named problem. */
export const BODY_MS_MAX = 20_000
/** So many chunks are taken whatever their size; beyond that they must hold 64 bytes on average. A chunk of
 * one byte costs a hundred times its size in processor time, and its framing six times its size on the
 * wire. */
const CHUNKS_FREE = 1_000
const CHUNK_BYTES_MEAN_MIN = 64
const START_BYTES = 16 * 1024

export interface BodyLimits {
  bytesMax: number
  /** Default BODY_MS_MAX. */
  timeoutMs?: number
}

/** The bytes of a request's body. It never holds more than twice the limit, however many chunks there are: a
 * slice that is kept would keep all that was read with it. Rejects with a BodyError, after which the rest is
 * read and thrown away. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { bytesMax, timeoutMs = BODY_MS_MAX } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax))
  return new Promise((resolve, reject) => {
    const gathered = gather(Math.min(declared || START_BYTES, bytesMax), bytesMax)
    let chunks = 0
    const giveUp = (error: BodyError): void => {
      clearTimeout(timer)
      request.off('data', take).resume()
      reject(error)
    }
    const take = (chunk: Buffer): void => {
      chunks++
      const bytes = gathered.add(chunk)
      if (bytes > bytesMax) giveUp(tooLarge(bytesMax))
      else if (chunks > CHUNKS_FREE + bytes / CHUNK_BYTES_MEAN_MIN) giveUp(tooManyChunks())
    }
    const timer = setTimeout(() => giveUp(tooSlow(timeoutMs)), timeoutMs)
    request.on('data', take)
    request.on('end', () => {
      clearTimeout(timer)
      resolve(gathered.bytes())
    })
    request.on('close', () => {
      clearTimeout(timer)
      if (!request.complete) reject(new BodyError('broke-off', 'The body ended too early.'))
    })
    // What it would say, `close` says too.
    request.on('error', () => {})
  })
}

/** Puts chunks together in one buffer, which doubles. A body that comes in one piece is not copied. */
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
    /** Returns the number of bytes so far; what is beyond the limit is counted, not kept. */
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

const tooLarge = (bytesMax: number): BodyError =>
  new BodyError('too-large', `A body may have ${Math.floor(bytesMax / 1000)} kB.`)

const tooSlow = (timeoutMs: number): BodyError =>
  new BodyError('too-slow', `The whole body must arrive within ${Math.ceil(timeoutMs / 1000)} seconds.`)

const tooManyChunks = (): BodyError =>
  new BodyError(
    'too-many-chunks',
    `The body came in too many small chunks; send ${CHUNK_BYTES_MEAN_MIN} bytes or more in each.`,
  )
