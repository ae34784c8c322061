import { problem, problems } from '../problems.ts'
import type { Reply } from '../reply.ts'

/** How passing on a request ended. For every kind from `unsent` on, nothing has been answered yet, unless the
 * answer had begun. */
export type Outcome =
  | { kind: 'answered' }
  | { kind: 'client-gone' }
  /** The answer had begun and broke off; so did the answer to the client. */
  | { kind: 'broken-off' }
  | Failure

export type Failure =
  /** No connection: the function hasn't seen the request, so it may be sent again. */
  | { kind: 'unsent'; reason: string }
  /** The function may or may not have done the work. */
  | { kind: 'lost'; reason: string }
  | { kind: 'timed-out' }
  /** The client did not send its body in time. */
  | { kind: 'too-slow' }
  | { kind: 'too-large' }
  /** The request holds something that can't be sent, such as a path with a control character. */
  | { kind: 'unsendable' }

/** Returns the answer for a request that got none from `service`. */
export function refusalOf(outcome: Failure, service: string): Reply {
  switch (outcome.kind) {
    case 'unsent':
      return problem(problems.unavailable, `${service} can't be reached. Try again.`, {
        headers: { 'retry-after': '1' },
      })
    case 'lost':
      return problem(
        problems.badGateway,
        `${service} broke off before it answered. It may have done the work; repeat with the same Idempotency-Key.`,
      )
    case 'timed-out':
      return problem(
        problems.gatewayTimeout,
        `${service} did not answer in time; repeat with the same Idempotency-Key.`,
      )
    case 'too-slow':
      return problem(problems.requestTimeout, 'The body did not arrive in time.')
    case 'too-large':
      return problem(problems.payloadTooLarge, 'The body is larger than any function accepts.')
    case 'unsendable':
      return problem(problems.badRequest, 'The request could not be passed on.')
  }
}
