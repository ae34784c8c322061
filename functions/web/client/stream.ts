import { pause } from './pauses.ts'
import { NoAnswerError } from './problem.ts'

/** One event of a stream. */
export interface StreamedEvent<Data> {
  /** Give it as `lastEventId` to go on after it. */
  id: string
  data: Data
}

/** Opens the stream. Rejects as calls do. */
export type OpenEvents = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>

/** The bank sends something every 15 seconds. */
const SILENCE_MS_MAX = 45_000
const PAUSE_MS = 1_000
const PAUSE_MS_MAX = 60_000
/** Characters of one event. The bank's have a few hundred. */
const BLOCK_LENGTH_MAX = 1_000_000

/** Yields the events of a stream of Server-Sent Events, for ever: when the stream ends or falls silent, it is
 * opened again after the last event. Ends when the signal aborts, by rejecting with its reason. Rejects if
 * the bank refuses, and if nobody answers within the time of a call. */
export async function* streamEvents<Data>(
  open: OpenEvents,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamedEvent<Data>, never, void> {
  let place = { id: lastEventId, pauseMs: PAUSE_MS }
  for (;;) {
    const ending = new AbortController()
    const abort = (): void => ending.abort(signal?.reason)
    signal?.addEventListener('abort', abort)
    try {
      signal?.throwIfAborted()
      const response = await open(place.id, ending.signal)
      for await (const block of readBlocks(streamOf(response), ending)) {
        place = { id: block.id ?? place.id, pauseMs: block.retry ?? place.pauseMs }
        if (block.type === TYPE && block.data !== undefined)
          yield { id: place.id ?? '', data: JSON.parse(block.data) as Data }
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      ending.abort()
    }
    await pause(place.pauseMs, signal)
  }
}

/** Throws if somebody else has answered, such as the log-in page of a hotel. */
function streamOf({ body, headers }: Response): ReadableStream<Uint8Array> {
  const type = headers.get('content-type') ?? 'no content type'
  if (body && type.startsWith('text/event-stream')) return body
  const cause = new Error(`expected text/event-stream, got ${type}`)
  throw new NoAnswerError('the stream of notifications', cause, { attempts: 1 })
}

/** The type of the events that a caller wants. Others, such as `end`, are about the stream itself. */
const TYPE = 'notification'

interface Block {
  id?: string
  type?: string
  retry?: number
  data?: string
}

/** Yields the blocks of a stream until it ends, is cut off or falls silent. Rejects if `ending` aborts for
 * another reason. */
async function* readBlocks(body: ReadableStream<Uint8Array>, ending: AbortController) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const silent = new Error('silent')
  let timer: ReturnType<typeof setTimeout> | undefined
  let text = ''
  try {
    for (;;) {
      timer = setTimeout(() => ending.abort(silent), SILENCE_MS_MAX)
      const { done, value } = await reader.read()
      clearTimeout(timer)
      if (done) return
      const blocks = (text + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
      text = blocks.pop()!
      if (text.length > BLOCK_LENGTH_MAX) throw new Error('an event without an end')
      for (const block of blocks) yield readBlock(block)
    }
  } catch {
    // Broken off by the bank, or by silence: the caller comes back.
    if (ending.signal.aborted && ending.signal.reason !== silent) throw ending.signal.reason
  } finally {
    clearTimeout(timer)
  }
}

/** Reads the fields of one event as the HTML standard says, section 9.2.6. */
function readBlock(block: string): Block {
  const read: Block = {}
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(id|event|retry|data): ?(.*)$/.exec(line) ?? []
    if (field === 'id') read.id = value
    if (field === 'event') read.type = value
    if (field === 'retry' && /^\d+$/.test(value)) read.retry = Math.min(Number(value), PAUSE_MS_MAX)
    if (field === 'data') read.data = read.data === undefined ? value : `${read.data}\n${value}`
  }
  return read
}
