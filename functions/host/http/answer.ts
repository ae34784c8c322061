import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { addAlso } from './also-answer.ts'
import { isArriving } from './framing.ts'
import { makeLast } from './last-answer.ts'
import type { Reply } from '../reply.ts'
import { problem, ProblemError, problems } from '../problems.ts'
import { sqlstate } from '../../../eventing/database/database-errors.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import { startTiming } from '../start/start-timing.ts'

const PROBLEM_TYPE = Symbol('problem type')
type Refusing = ServerResponse & { [PROBLEM_TYPE]?: string | undefined }

/** Returns the name of the problem that was answered; undefined if the answer was none. */
export const answeredProblem = (response: Refusing): string | undefined =>
  response[PROBLEM_TYPE]?.slice(response[PROBLEM_TYPE].lastIndexOf('/') + 1)

/** Writes a reply: JSON unless the reply says otherwise. Caches must keep nothing of a bank. */
export function answer(response: Refusing, { status, headers, body, text: plain }: Reply): void {
  if (status >= 400) response[PROBLEM_TYPE] = (body as { type?: string } | undefined)?.type
  const text = plain ?? (body === undefined ? undefined : JSON.stringify(body))
  beginAnswer(response, status, {
    ...(text !== undefined && {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    }),
    ...headers,
  })
  response.end(text)
}

/** Writes the head of an answer, with the headers that all answers have. */
export function beginAnswer(response: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  const timing = startTiming()
  if (isArriving(response.req)) makeLast(response)
  const all = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(timing && { 'server-timing': timing }),
    ...headers,
  }
  addAlso(response, all)
  response.writeHead(status, all)
}

/** Answers a request whose handling threw `error`. The answer is a problem, and never shows a stack trace,
 * SQL or an internal name. */
export function answerError(response: ServerResponse, error: unknown, log: Log, traceId: string): void {
  if (error instanceof ProblemError) return answer(response, error.reply)
  const { message, stack, cause } = error as Error
  if (error instanceof UnavailableError) {
    const why = { error: message, cause: String(cause ?? ''), sqlstate: sqlstate(cause) }
    log.warn('unavailable', { trace_id: traceId, ...why })
    const headers = { 'retry-after': '1' }
    return answer(response, problem(problems.unavailable, `${sentence(message)} Try again.`, { headers }))
  }
  log.error('request failed', { trace_id: traceId, error: message, sqlstate: sqlstate(error), stack })
  answer(response, problem(problems.internal, `The error is logged; its trace is ${traceId}.`))
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
