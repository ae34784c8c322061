import type { IncomingMessage, ServerResponse } from 'node:http'
import { isArriving } from '../../../functions/host/http/framing.ts'
import { makeLast } from '../../../functions/host/http/last-answer.ts'
import type { Reply } from '../../../functions/host/reply.ts'
import { problem, problems, type ProblemType } from '../../../functions/host/problems.ts'

/** The problems that the gateway itself can answer with. Functions have their own. */
export const gatewayProblems = {
  badRequest: problems.badRequest,
  unauthenticated: { name: 'unauthenticated', status: 401, title: 'A token is needed' },
  unknownService: { name: 'unknown-service', status: 404, title: 'No such service' },
  payloadTooLarge: problems.payloadTooLarge,
  unavailable: problems.unavailable,
} as const satisfies Record<string, ProblemType>

/** Answers with a problem (RFC 9457). If an answer has already begun, cuts it off instead. */
export function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  type: ProblemType,
  detail: string,
  headers: Record<string, string> = {},
): void {
  answerReply(request, response, problem(type, detail, { headers }))
}

/** The same for a problem that is already complete. */
export function answerReply(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Otherwise the rest of a body, which nobody reads, would be taken for the next request.
  if (isArriving(request)) makeLast(response)
  request.resume()
  const text = JSON.stringify(reply.body)
  const length = { 'content-length': Buffer.byteLength(text) }
  response.writeHead(reply.status, { ...reply.headers, ...length, 'cache-control': 'no-store' }).end(text)
}
