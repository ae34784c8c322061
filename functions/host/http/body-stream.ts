import type { IncomingMessage } from 'node:http'
import {
  areTooSmall,
  BODY_MS_MAX,
  BodyError,
  tooLarge,
  tooManyChunks,
  tooSlow,
} from '../../../eventing/http-body.ts'
import type { BodyStream } from '../route-request.ts'
import { checkCoding, refusalOf } from './body.ts'

/** Opens a body for a handler that reads it while it comes. The whole body must arrive within `timeoutMs`,
 * which also limits the handler: it must not wait for anything else meanwhile. */
export function openBody(
  request: IncomingMessage,
  bytesMax: number,
  keyFor: BodyStream['keyFor'],
  timeoutMs = BODY_MS_MAX,
): BodyStream {
  return {
    mediaType: request.headers['content-type'] ?? '',
    parts: partsOf(request, bytesMax, timeoutMs),
    keyFor,
  }
}

async function* partsOf(
  request: IncomingMessage,
  bytesMax: number,
  timeoutMs: number,
): AsyncGenerator<Buffer, void> {
  checkCoding(request)
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw refusalOf(tooLarge(bytesMax))
  // Destroying the request would close the connection, and the answer could not be sent.
  const iterator = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, void>
  const { race, stop } = watch(request, timeoutMs)
  let chunks = 0
  let bytes = 0
  try {
    for (;;) {
      const next = await race(iterator.next())
      if (next.done) return
      chunks++
      bytes += next.value.length
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      if (areTooSmall(chunks, bytes)) throw tooManyChunks()
      yield next.value
    }
  } catch (error) {
    if (error instanceof BodyError) throw refusalOf(error)
    if (!request.complete) throw refusalOf(brokeOff())
    throw error
  } finally {
    stop()
    // Not awaited: a return() waits for the next() before it, which may never end.
    void iterator.return?.()?.catch(() => undefined)
  }
}

/** `race` resolves as the promise does, and rejects when the time is over, or the connection is closed. If
 * the server has answered already, because the rest of the request is no HTTP, the request itself reports
 * neither. (Promise.race() would keep every part until the end of the body.) */
function watch({ socket }: IncomingMessage, timeoutMs: number) {
  let fault: BodyError | undefined
  let giveUp: (error: BodyError) => void = () => undefined
  const fail = (error: BodyError): void => {
    fault ??= error
    giveUp(fault)
  }
  const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs)
  const onClose = (): void => fail(brokeOff())
  socket.once('close', onClose)
  return {
    race: <T>(promise: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        giveUp = reject
        promise.then(resolve, reject)
        if (fault) reject(fault)
      }),
    stop: (): void => {
      clearTimeout(timer)
      socket.off('close', onClose)
    },
  }
}

const brokeOff = (): BodyError => new BodyError('broke-off', 'The body ended too early.')
