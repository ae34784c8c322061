import type { RequestListener } from 'node:http'
import { problem, problems } from '../../../functions/host/problems.ts'
import type { Reply } from '../../../functions/host/reply.ts'
import type { BankProblem } from '../../../functions/web/client/index.ts'
import type { Log } from '../../../monitoring/log.ts'
import { guardedDoor } from '../gateway/guarded-door.ts'
import type { DemoOptions } from './demo-customer.ts'

export interface DemoDoorOptions extends DemoOptions {
  /** The secret that the front door sends. */
  key: string
  log: Log
}

/** Returns the handler that signs in the demo customer, for the front door alone. It stands on the gateway
 * between the bank's parts, and answers with the tokens of the log-in. The first call makes the customer: a
 * bank whose demo customer nobody wants pays nothing for them. */
export function openDemoDoor({ key, log, ...options }: DemoDoorOptions): RequestListener {
  // One call after the other, so that two windows don't register two customers.
  let last: Promise<unknown> = Promise.resolve()
  const signIn = (agent: string): Promise<object> => {
    const next = last.then(async () => {
      const { signInDemoCustomer } = await import('./demo-customer.ts')
      return signInDemoCustomer(options, agent)
    })
    last = next.catch(() => undefined)
    return next
  }
  return guardedDoor({
    ...{ key, asker: 'the front door', log, failure: 'the demo customer could not be signed in', refusalOf },
    tell: ({ headers }) => signIn(headers['user-agent'] ?? ''),
  })
}

/** Whoever has pressed the button too often hears when they may do so again. */
function refusalOf(error: Error | BankProblem): Reply | undefined {
  if (!('status' in error) || error.status !== 429) return undefined
  const after = error.headers.get('retry-after')
  return problem(problems.tooManyRequests, error.detail, {
    headers: after === null ? {} : { 'retry-after': after },
  })
}
