import { events } from '../host/answer-of.ts'
import { operation, route } from '../host/operation.ts'
import { leavingAfter, Places } from '../host/places.ts'
import { ProblemError, problem, problems } from '../host/problems.ts'
import type { Database } from '../host/database/database.ts'
import type { Caller } from '../host/route-request.ts'
import { endEvent, retryLine, timeLeft, type TimeLeft } from '../host/stream-life.ts'
import type { Tools } from '../host/tools.ts'
import { Feed } from './stream/feed.ts'
import {
  MISSED_MAX,
  placeOf,
  placeToResume,
  readMissed,
  type MissedPage,
  type ResumedPlace,
} from './stream/missed.ts'
import { eventOf, OpenStream } from './stream/open-stream.ts'
import { NO_ID, placeId, readEventId, type StreamPlace } from './stream/place.ts'

/** Streams that one user can have open in one process. */
const STREAMS_EACH_MAX = 8

const tooFarBehind = { name: 'stream-too-far-behind', status: 410, title: 'The stream is too far ahead' }

interface Streams {
  feed: Feed
  places: Places
}

/** Sends notifications while they are stored, from any instance, without a gap and without repeats. */
export default operation({
  name: 'notification-stream',
  context: 'notifications',
  summary: 'Sends new notifications as Server-Sent Events',
  state: ({ db, log }: Tools): Streams => ({ feed: new Feed(db, log), places: new Places(STREAMS_EACH_MAX) }),
  routes: [
    route({
      method: 'GET',
      path: '/notifications/stream',
      who: 'signed-in',
      audits: { nothing: 'everybody reads only their own' },
      streams: 'events',
      resumes: true,
      summary:
        'The caller’s own notifications as Server-Sent Events, from now on or after `Last-Event-ID` (or `last_event_id`)',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { last_event_id: { type: 'string', minLength: 1, maxLength: 60 } },
      },
      answers: { 200: events },
      problems: [problems.tooManyRequests, tooFarBehind],
      handle: async (request, tools, { feed, places }: Streams) => {
        const { caller } = request
        const last = request.lastEventId ?? request.query.last_event_id
        const from = last === undefined ? undefined : readEventId(last)
        const leave = places.take(caller.userId)
        if (!leave) return tooManyStreams()
        try {
          const after = from && (await placeToResume(tools.db, caller.userId, from))
          const texts = await open(caller, after, feed, tools)
          const stream = { mediaType: 'text/event-stream', parts: leavingAfter(texts, leave), isEvents: true }
          // Proxies such as nginx would otherwise gather the events.
          return { status: 200, headers: { 'x-accel-buffering': 'no' }, stream }
        } catch (error) {
          leave()
          throw error
        }
      },
    }),
  ],
})

const tooManyStreams = () =>
  problem(
    problems.tooManyRequests,
    `You have ${STREAMS_EACH_MAX} streams open already. Wait until one of them has ended.`,
    { headers: { 'retry-after': '5' } },
  )

/** Opens a stream after a place, or from now on. Throws a ProblemError (410) if the client missed too
 * much. */
async function open(
  caller: Caller,
  after: ResumedPlace | undefined,
  feed: Feed,
  { db }: Tools,
): Promise<AsyncIterable<string>> {
  const left = timeLeft(caller)
  const stream = new OpenStream(caller.userId, after ?? { xact: 0n, id: NO_ID }, () => left().ms)
  const end = (): void => {
    stream.end()
    feed.leave(stream)
  }
  try {
    const joinedAt = await feed.join(stream)
    const first = after && (await readMissed(db, caller.userId, after, joinedAt))
    if (first && first.missed > MISSED_MAX) throw farBehind()
    return leavingAfter(textsOf(stream, { after, joinedAt, first, left }, db), end)
  } catch (error) {
    end()
    throw error
  }
}

const farBehind = (): ProblemError =>
  new ProblemError(
    tooFarBehind,
    `More than ${MISSED_MAX} notifications came since then. Read them with GET /notifications, and begin a new stream.`,
  )

interface Beginning {
  after: ResumedPlace | undefined
  joinedAt: StreamPlace
  /** The first page of what the client missed. */
  first: MissedPage | undefined
  left: () => TimeLeft
}

async function* textsOf(
  stream: OpenStream,
  { after, joinedAt, first, left }: Beginning,
  db: Database,
): AsyncGenerator<string> {
  const retry = retryLine()
  // Who gets nothing before they come back must be able to say since when they listen.
  yield after ? `${retry}\n` : `${retry}id: ${placeId(joinedAt, Date.now())}\n\n`
  for (let page = first; page && page.rows.length > 0;) {
    const { rows, missed } = page
    yield rows.map(eventOf).join('')
    const place = { ...placeOf(rows[rows.length - 1]!), ms: after!.ms }
    page = missed > rows.length ? await readMissed(db, stream.userId, place, joinedAt) : undefined
  }
  yield* stream.texts()
  const over = left()
  if (over.ms <= 0) yield endEvent(over)
}
