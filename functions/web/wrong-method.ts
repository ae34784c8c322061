import type { IncomingMessage } from 'node:http'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Cors } from './cors.ts'

/** Returns the answer (405) to a request with a method that its path does not have. */
export function wrongMethod(methods: readonly string[]): Reply {
  const allow = methods.join(', ')
  return problem(problems.methodNotAllowed, `Allowed here: ${allow}.`, { headers: { allow } })
}

/** Returns the answer to such a request at the front door: 204 if it asks for an allowed page elsewhere
 * whether that may call (CORS), otherwise 405. */
export function otherMethod(request: IncomingMessage, methods: readonly string[], cors: Cors): Reply {
  const headers = cors.preflight(request, methods)
  return headers ? { status: 204, headers } : wrongMethod(methods)
}

/** The methods of what the front door gives itself. */
export const READING = ['GET', 'HEAD'] as const

export const isReading = ({ method }: Pick<IncomingMessage, 'method'>): boolean =>
  method === 'GET' || method === 'HEAD'
