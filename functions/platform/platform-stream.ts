import { events } from '../host/answer-of.ts'
import { operation, route } from '../host/operation.ts'
import { leavingAfter, Places } from '../host/places.ts'
import { problem, problems } from '../host/problems.ts'
import { endEvent, HEARTBEAT, HEARTBEAT_MS, retryLine, timeLeft, type TimeLeft } from '../host/stream-life.ts'
import type { Tools } from '../host/tools.ts'
import { nobodysData } from './nobodys-data.ts'
import { changeOf } from './topology-change.ts'
import { TopologyFeed } from './topology-feed.ts'
import type { BankTopology } from './topology-schema.ts'

/** Streams that one operator can have open in one process. */
const STREAMS_EACH_MAX = 8
/** Milliseconds that the first picture may take, before the client is told that there is none. */
const FIRST_MS_MAX = 3_000

interface OpenViews {
  feed: TopologyFeed
  places: Places
}

/** Sends what changes in the picture of the bank. It wakes no function; while it is open, it keeps only
 * itself from zero. */
export default operation({
  name: 'platform-stream',
  context: 'platform',
  summary: 'Sends changes of what runs as Server-Sent Events',
  readsCatalogue: true,
  state: (tools: Tools): OpenViews => ({
    feed: new TopologyFeed(tools),
    places: new Places(STREAMS_EACH_MAX),
  }),
  routes: [
    route({
      method: 'GET',
      path: '/platform/stream',
      who: 'operator',
      audits: nobodysData,
      streams: 'events',
      summary:
        'The picture of GET /platform/topology as an event `topology`, then what changes, at most twice a second',
      answers: { 200: events },
      problems: [problems.tooManyRequests],
      handle: async ({ caller }, _tools, { feed, places }: OpenViews) => {
        const give = places.take(caller.userId)
        if (!give) return tooManyViews()
        const listener = {}
        const leave = (): void => {
          feed.leave(listener)
          give()
        }
        feed.join(listener)
        const parts = leavingAfter(textsOf(feed, timeLeft(caller)), leave)
        // Proxies such as nginx would otherwise gather the events.
        return {
          status: 200,
          headers: { 'x-accel-buffering': 'no' },
          stream: { mediaType: 'text/event-stream', parts, isEvents: true },
        }
      },
    }),
  ],
})

const tooManyViews = () =>
  problem(
    problems.tooManyRequests,
    `You have ${STREAMS_EACH_MAX} streams open already. Wait until one of them has ended.`,
    { headers: { 'retry-after': '5' } },
  )

/** The events of one stream. A client that takes little gets fewer and larger changes, because each tells
 * what is different from what it was told last. */
async function* textsOf(feed: TopologyFeed, left: () => TimeLeft): AsyncGenerator<string> {
  yield `${retryLine()}\n`
  let told: BankTopology | 'away' | undefined
  const beganAt = performance.now()
  let toldAt = beganAt
  for (let over = left(); ; over = left()) {
    if (over.ms <= 0) return yield endEvent(over)
    const { current } = feed
    const now = performance.now()
    const isFirst = told === undefined && now - beganAt < FIRST_MS_MAX
    const text = current || !isFirst ? eventOf(told, current) : undefined
    if (text !== undefined) told = current ?? 'away'
    if (text !== undefined || now - toldAt >= HEARTBEAT_MS) {
      toldAt = now
      yield text ?? HEARTBEAT
    } else await feed.next()
  }
}

/** What to tell a client that was told this before; undefined if there is nothing new. An event `away` says
 * that what it shows may be old from now on. */
function eventOf(told: BankTopology | 'away' | undefined, now: BankTopology | undefined): string | undefined {
  if (now === undefined) return told === 'away' ? undefined : write('away', {})
  const change = told === undefined || told === 'away' ? 'all' : changeOf(told, now)
  if (change === undefined) return undefined
  return change === 'all' ? write('topology', now) : write('change', change)
}

const write = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
