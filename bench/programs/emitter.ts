import { createOutbox } from '../../eventing/outbox.ts'
import type { PendingEvent } from '../../eventing/outbox-event.ts'
import { openDatabase } from '../../functions/host/database/database.ts'
import { createSend } from '../../functions/host/http/send.ts'
import { createLog } from '../../monitoring/log.ts'
import { pace } from '../pace.ts'
import type { EmitterJob } from '../ratios/event.ts'

/** Publishes committed events as a function does: with the outbox of the functions. Answers each job when all
 * its events are confirmed and no longer pending. */
const { DATABASE_URL, BROKER_URL, EVENT_KEY } = process.env
const log = createLog({ service: 'emitter' }, 'warn')
const outbox = createOutbox({
  db: openDatabase({ url: DATABASE_URL!, poolMax: 4, name: 'emitter', log, timeoutMs: 10_000 }),
  post: createSend(undefined).pipeline(BROKER_URL!).post,
  log,
  signingKey: EVENT_KEY!,
})
/** Events handed over at once when there is no rate: enough to keep every connection busy. */
const CROWD = 500

/** What a function does every few seconds. Here it must wait until all events had their turn: the claims of
 * those that are paced end before. */
const SWEEP_EVERY_MS = 2_000

let events: PendingEvent[] = []
let sweeps: NodeJS.Timeout | undefined

process.on('message', (job: EmitterJob) => {
  void carryOut(job).then(
    () => process.send!({ done: true }),
    (error: Error) => {
      console.error(error.message)
      process.exit(1)
    },
  )
})

async function carryOut(job: EmitterJob): Promise<void> {
  clearInterval(sweeps)
  if (job.events) {
    events = job.events
    return
  }
  await (job.perSecond ? emitAtRate(job.perSecond) : emitAll())
  sweeps = setInterval(() => void outbox.sweep().catch(() => {}), SWEEP_EVERY_MS)
}

async function emitAtRate(perSecond: number): Promise<void> {
  await pace(perSecond, events.length / perSecond, async (n) => outbox.publish([events[n]!]))
  await outbox.drain()
}

async function emitAll(): Promise<void> {
  for (let n = 0; n < events.length; n += CROWD) {
    outbox.publish(events.slice(n, n + CROWD))
    await outbox.drain()
  }
}
