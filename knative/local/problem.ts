import type { IncomingMessage, ServerResponse } from 'node:http'
import { problem, problems, type ProblemType } from '../host/problems.ts'

/** What the gateway itself can answer, beside what the functions do. */
export const gatewayProblems = {
  badRequest: { name: 'bad-request', status: 400, title: 'The request is not valid HTTP' },
  unknownService: { name: 'unknown-service', status: 404, title: 'No such service' },
  payloadTooLarge: problems.payloadTooLarge,
  requestTimeout: problems.requestTimeout,
  headersTooLarge: { name: 'headers-too-large', status: 431, title: 'The headers are too large' },
  upstreamFailed: problems.badGateway,
  unavailable: problems.unavailable,
  upstreamTimeout: problems.gatewayTimeout,
} as const satisfies Record<string, ProblemType>

/** Answers with a problem (RFC 9457); where an answer has begun already, it is cut off instead. */
export function answerProblem(
  req: IncomingMessage,
  res: ServerResponse,
  type: ProblemType,
  detail: string,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { status, headers: ownHeaders, body } = problem(type, detail, { headers })
  // The rest of a body that nobody will read would be taken for the next request.
  if (!req.complete) res.setHeader('connection', 'close')
  req.resume()
  const text = JSON.stringify(body)
  const length = { 'content-length': Buffer.byteLength(text) }
  res.writeHead(status, { ...ownHeaders, ...length, 'cache-control': 'no-store' }).end(text)
}
