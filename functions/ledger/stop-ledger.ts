import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import { reasonText } from '../host/schema.ts'
import { stopColumns, stopSchema, toStop, type StopRow } from './stops/stop.ts'
import { currencies } from '../host/values/currencies.ts'

export default operation({
  name: 'stop-ledger',
  context: 'ledger',
  summary: 'Stops all postings of a currency, or of all, until an operator resumes them',
  routes: [
    route({
      method: 'POST',
      path: '/ledger/stop',
      who: 'operator',
      summary: 'Stop postings; without `currency`, of all currencies. Each stop is lifted by itself',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['reason'],
        properties: { currency: { type: 'string', pattern: '^[A-Z]{3}$' }, reason: reasonText },
      },
      answers: { 201: stopSchema },
      idempotent: true,
      async handle({ body: { currency, reason }, caller, idempotencyKey, traceparent }, { transact, log }) {
        if (currency !== undefined && !currencies.has(currency))
          throw new ProblemError(problems.invalidInput, 'There is no such currency.', {
            errors: [{ path: '/currency', message: 'must be a currency of ISO 4217, like "USD"' }],
          })
        return transact(traceparent, (tx) =>
          once(tx, 'stop-ledger', idempotencyKey, async () => {
            // The event is stored by the same function; see emit_ledger_event().
            const [stop] = await tx.query<StopRow>({
              text: `select ${stopColumns} from stop_ledger($1, $2, null, $3, $4)`,
              values: [currency, reason, caller.userId, traceparent],
            })
            log.warn('an operator has stopped the ledger', { stop: stop!.id, currency: currency ?? 'all' })
            return { status: 201, body: toStop(stop!) }
          }),
        )
      },
    }),
  ],
})
