import type { IncomingMessage, RequestListener } from 'node:http'
import type { Reply } from '../../../functions/host/reply.ts'
import type { Log } from '../../../monitoring/log.ts'
import { answerProblem, answerReply, gatewayProblems } from './problem.ts'
import { hasSecret } from './shared-secret.ts'

export interface GuardedDoorOptions {
  /** The secret that only the asking function has, and what that function is. */
  key: string
  asker: string
  log: Log
  /** Logged if `tell` rejects. The answer is 503 then, unless `refusalOf` knows a better one. */
  failure: string
  /** Returns the answer to an error that is a refusal, and no failure. */
  refusalOf?: (error: Error) => Reply | undefined
  /** Resolves with the JSON of the answer; with undefined if there is nothing, which is 404. */
  tell: (request: IncomingMessage) => Promise<object | undefined>
}

/** Returns a handler for one of the bank's functions alone. It stands on the gateway between the bank's
 * parts. */
export const guardedDoor =
  ({ key, asker, log, failure, refusalOf, tell }: GuardedDoorOptions): RequestListener =>
  (request, response) => {
    const refuse = (problem: keyof typeof gatewayProblems, detail: string) =>
      answerProblem(request, response, gatewayProblems[problem], detail)
    if (!hasSecret(request, key)) return refuse('unauthenticated', `This needs the secret of ${asker}.`)
    request.resume()
    tell(request).then(
      (body) =>
        body
          ? response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
          : refuse('unknownService', 'There is nothing here.'),
      (error: Error) => {
        const refusal = refusalOf?.(error)
        if (refusal) return answerReply(request, response, refusal)
        log.error(failure, { error: error.message })
        refuse('unavailable', 'The log of the runtime says why.')
      },
    )
  }
