import type { IncomingMessage } from 'node:http'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'

/** Returns the answer (405) to a request with a method that its path does not have. */
export function wrongMethod(methods: readonly string[]): Reply {
  const allow = methods.join(', ')
  return problem(problems.methodNotAllowed, `Allowed here: ${allow}.`, { headers: { allow } })
}

/** The methods of what the front door gives itself. */
export const READING = ['GET', 'HEAD'] as const

export const isReading = ({ method }: Pick<IncomingMessage, 'method'>): boolean =>
  method === 'GET' || method === 'HEAD'
