import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { publishAgain } from './publish-again.ts'
import { emitRedriveDue } from './redrive.ts'

/** So that the function ends by itself before the Service's 30 s. Another event goes on. */
const TURN_MS_MAX = 8_000
const LETTERS_AT_ONCE = 20
/** Steps per second, if more than one letter goes out in each. */
const STEPS_PER_SECOND = 5
/** How long to wait after the Broker took nothing. */
const AWAY_SECONDS = 2
/** Most tries of a letter that the Broker doesn't take. They last longer than a restart of the Broker. */
const TRIES_MAX = 100
/** No wait is as long. A time that lies further ahead comes from a clock that was set back. */
const WAIT_SECONDS_MAX = 5

/** Sends letters of a redrive at its rate, until all are sent or the turn is over; then another event goes
 * on.
 *
 * The database knows which letters are left, and when the next may go out. So a process may die after any
 * line, and two may be at it: each letter is published at least once, consumers ignore duplicates, and both
 * together keep the rate. An event of an older turn does nothing. */
export async function runRedrive(
  { redrive_id: id, turn }: { redrive_id: string; turn: number },
  tools: Tools,
  traceparent: string,
): Promise<void> {
  const endsAt = performance.now() + TURN_MS_MAX
  /** The last letter that the Broker did not take. Those after it are next, so that it holds up none. */
  let after: string | undefined
  for (;;) {
    const step = await takeStep(tools, id, turn)
    if (!step) return
    if (step.wait_ms > 0) {
      if (performance.now() + step.wait_ms > endsAt) break
      await sleep(step.wait_ms)
      continue
    }
    const found = await sendLetters(tools, { id, count: step.letters, after })
    if (!found && after === undefined && (await complete(tools, id))) return
    after = found ? (found.away ?? after) : undefined
  }
  await tools.transact(traceparent, async (tx) => {
    const [next] = await tx.query<{ id: string; turn: number }>({
      name: 'dead-letters-redrive-turn',
      text: `update dead_letter_redrives set turn = turn + 1
        where id = $1 and turn = $2 and status = 'running' returning id, turn`,
      values: [id, turn],
    })
    if (next) emitRedriveDue(tx, next)
  })
}

/** Takes the right to send the next letters. If it is too early, says how long to wait. Undefined if the
 * redrive has ended, or another turn has begun. */
async function takeStep({ db }: Pick<Tools, 'db'>, id: string, turn: number) {
  const [step] = await db.query<{ letters: number; wait_ms: number }>({
    name: 'dead-letters-redrive-step',
    text: `update dead_letter_redrives r set next_at = case
          when r.next_at between clock_timestamp() and clock_timestamp() + interval '${WAIT_SECONDS_MAX} s'
            then r.next_at
          else clock_timestamp() + s.letters / r.per_second::float8 * interval '1 second'
        end
      from (
        select id, least(${LETTERS_AT_ONCE}, ceil(per_second / ${STEPS_PER_SECOND}.0))::integer as letters
        from dead_letter_redrives where id = $1
      ) s
      where r.id = s.id and r.turn = $2 and r.status = 'running'
      returning s.letters, case when old.next_at = new.next_at
        then greatest(1, ceil(extract(epoch from new.next_at - clock_timestamp()) * 1000))::integer
        else 0 end as wait_ms`,
    values: [id, turn],
  })
  return step
}

/** Publishes the next letters and stores what became of them. Resolves with the last one that the Broker did
 * not take and may take later; with undefined if no letter was left. */
async function sendLetters(
  tools: Tools,
  { id, count, after }: { id: string; count: number; after: string | undefined },
): Promise<{ away: string | undefined } | undefined> {
  return tools.db.transaction(async (tx) => {
    const letters = await tx.query<{ id: string; event_text: string; tries: number }>({
      name: 'dead-letters-redrive-next',
      text: `select id, event::text as event_text, tries from dead_letters where redrive_id = $1 and is_queued
          and ($3::uuid is null or id > $3)
        order by id limit $2 for update skip locked`,
      values: [id, count, after ?? null],
    })
    if (letters.length === 0) return undefined
    const outcomes = await Promise.all(letters.map((letter) => outcomeOf(letter.event_text, tools)))
    const having = (wanted: Publication) => letters.filter((_one, i) => outcomes[i] === wanted)
    const idsOf = (some: typeof letters) => some.map(({ id }) => id)
    const isLast = ({ tries }: (typeof letters)[number]) => tries + 1 >= TRIES_MAX
    const away = having('away').filter((letter) => !isLast(letter))
    const sent = idsOf(having('sent'))
    const failed = idsOf([...having('refused'), ...having('away').filter(isLast)])
    // Before the commit: if that fails, events are sent twice; consumers ignore duplicates.
    await tx.query({
      name: 'dead-letters-redrive-sent',
      text: `with done as (
          update dead_letters set is_queued = false,
            status = case when id = any ($2) then 'redriven' else status end,
            redriven_at = case when id = any ($2) then now() else redriven_at end
          where id = any ($2) or id = any ($3)
        ), tried as (
          update dead_letters set tries = tries + 1 where id = any ($4)
        )
        update dead_letter_redrives set sent = sent + cardinality($2), failed = failed + cardinality($3),
          next_at = case when cardinality($4) > 0 then clock_timestamp() + interval '${AWAY_SECONDS} s' else next_at end
        where id = $1`,
      values: [id, sent, failed, idsOf(away)],
    })
    if (failed.length > 0)
      tools.log.warn('dead letters were not published', { redrive_id: id, count: failed.length })
    return { away: away.at(-1)?.id }
  })
}

type Publication = 'sent' | 'refused' | 'away'

/** Publishes one letter. The Broker is away if another try may succeed. */
async function outcomeOf(text: string, tools: Tools): Promise<Publication> {
  try {
    const status = await publishAgain(text, tools)
    if (status === 202) return 'sent'
    return status >= 400 && status < 500 && ![404, 408, 429].includes(status) ? 'refused' : 'away'
  } catch (error) {
    // Not the Broker's fault, so no other try will succeed.
    if (!(error instanceof UnavailableError)) return 'refused'
    tools.log.warn('the Broker does not answer', { error: (error as Error).message })
    return 'away'
  }
}

/** Ends a redrive whose letters are all sent. Resolves with false if another process is at some of them. */
async function complete({ db, log }: Pick<Tools, 'db' | 'log'>, id: string): Promise<boolean> {
  const [row] = await db.query<{ is_left: boolean; is_ended: boolean }>({
    name: 'dead-letters-redrive-complete',
    text: `with ended as (
        update dead_letter_redrives set status = 'completed', ended_at = now()
        where id = $1 and status = 'running'
          and not exists (select from dead_letters where redrive_id = $1 and is_queued)
        returning id
      )
      select exists (select from dead_letters where redrive_id = $1 and is_queued) as is_left,
        exists (select from ended) as is_ended`,
    values: [id],
  })
  if (row!.is_ended) log.info('a redrive is completed', { redrive_id: id })
  return !row!.is_left
}
