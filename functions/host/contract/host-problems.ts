import type { DescribedRoute } from '../operation.ts'
import { problems, type ProblemType } from '../problems.ts'

/** Returns the refusals that the host and the front door may give to requests of a route, whatever its
 * handler does. `isOwn` says that the front door answers it by itself. */
export function hostProblems(route: DescribedRoute, isOwn: boolean): ProblemType[] {
  const { method, who, params, idempotent: isIdempotent } = route
  const hasBody = method !== 'GET'
  return [
    problems.badRequest,
    problems.headersTooLarge,
    problems.internal,
    // The front door counts each request.
    problems.tooManyRequests,
    // Unknown parameters of the query are refused, too.
    ...(isOwn
      ? []
      : [
          problems.invalidInput,
          problems.requestTimeout,
          problems.badGateway,
          problems.unavailable,
          problems.gatewayTimeout,
        ]),
    ...(who === 'anyone' ? [] : [problems.unauthenticated]),
    ...(who === 'operator' ? [problems.forbidden] : []),
    ...(params ? [problems.notFound] : []),
    ...(hasBody ? [problems.invalidJson, problems.payloadTooLarge, problems.unsupportedMediaType] : []),
    ...(isIdempotent ? [problems.idempotencyKeyInUse, problems.idempotencyKeyReused] : []),
  ]
}
