import type { Database } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { problem, ProblemError, problems } from '../host/problems.ts'
import { reasonText, uuidSchema } from '../host/schema.ts'
import { stopColumns, stopSchema, toStop, type Fault, type StopRow } from './stops/stop.ts'

const stillBroken = { name: 'still-broken', status: 409, title: 'The books are still wrong' }
const stopLifted = { name: 'stop-lifted', status: 409, title: 'The stop was lifted before' }

type ResumedRow = { faults: Fault[] | null } & (
  | ({ outcome: 'resumed' | 'already-lifted' | 'still-broken' | 'still-checking' } & StopRow)
  | { outcome: 'not-found' }
)

// Together with the last check, less than the function's `timeoutSeconds`.
const CHECK_MS_MAX = 15_000

export default operation({
  name: 'resume-ledger',
  context: 'ledger',
  summary: 'Lifts a stop, if the books are right again',
  routes: [
    route({
      method: 'POST',
      path: '/ledger/resume',
      who: 'operator',
      summary:
        'Lift a stop. What its evidence names is checked first: it must be right, or on accounts that are frozen',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['stop_id', 'reason'],
        properties: { stop_id: uuidSchema, reason: reasonText },
      },
      answers: { 200: stopSchema },
      problems: [problems.notFound, stopLifted, stillBroken],
      idempotent: true,
      async handle(
        { body: { stop_id: id, reason }, caller, idempotencyKey, traceparent },
        { db, transact, log },
      ) {
        await checkAhead(db, id)
        return transact(traceparent, (tx) =>
          once(tx, 'resume-ledger', idempotencyKey, async () => {
            const [row] = await tx.query<ResumedRow>({
              text: `select outcome, faults, ${stopColumns.replace(/\w+/g, '(stop).$&')}
                from resume_ledger($1, $2, $3, $4)`,
              values: [id, caller.userId, reason, traceparent],
            })
            const { outcome, faults, ...stop } = row as { outcome: ResumedRow['outcome'] } & StopRow & {
                faults: Fault[] | null
              }
            if (outcome === 'not-found') return problem(problems.notFound, `There is no stop ${id}.`)
            if (outcome === 'already-lifted')
              return problem(stopLifted, `It was lifted at ${stop.lifted_at!.toISOString()}.`)
            // Thrown, so that a repeat with the same key checks again.
            if (outcome !== 'resumed') throw new ProblemError(stillBroken, sentence(faults))
            log.warn('an operator has lifted a stop', { stop: id, currency: stop.currency ?? 'all' })
            return { status: 200, body: toStop(stop) }
          }),
        )
      },
    }),
  ],
})

/** Checks the accounts that the stop is about, and keeps what is right. So the transaction that lifts the
 * stop has little left to check, however many entries there are. */
async function checkAhead(db: Database, id: string): Promise<void> {
  const endsAt = performance.now() + CHECK_MS_MAX
  for (let isComplete = false; !isComplete && performance.now() < endsAt;) {
    const [row] = await db.query<{ is_complete: boolean }>({
      text: `with ids as materialized (
          select array(
            select distinct (e ->> 'account_id')::uuid
            from ledger_stops s, jsonb_array_elements(s.evidence) e
            where s.id = $1 and s.lifted_at is null and e ? 'account_id'
          ) as ids
        )
        select is_complete and not exists (select from ids, check_accounts(ids) where problem is null) as is_complete
        from ids, check_holds(ids)`,
      values: [id],
    })
    isComplete = row!.is_complete
  }
}

const NAMED_MAX = 5

function sentence(faults: readonly Fault[] | null): string {
  if (!faults) return 'The checks need more time. Repeat the request: they go on where they ended.'
  const named = faults
    .slice(0, NAMED_MAX)
    .map((fault) => `${fault.transaction_id ?? fault.account_id ?? 'the currency'} (${fault.problem})`)
  const more = faults.length > NAMED_MAX ? ` and ${faults.length - NAMED_MAX} more` : ''
  return `Wrong, and not frozen: ${named.join(', ')}${more}.`
}
