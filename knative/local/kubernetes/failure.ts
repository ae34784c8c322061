import type { ResourceType } from './resource-types.ts'

/** The answer of the Kubernetes API if it can't answer with the objects. */
export interface FailureStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: object
  status: 'Failure'
  message: string
  reason: string
  code: number
  details?: object
}

const failure = (code: number, reason: string, message: string, details?: object): FailureStatus => ({
  ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
  ...(details && { details }),
})

export const failures = {
  noSuchPath: () => failure(404, 'NotFound', 'the server could not find the requested resource'),
  notFound: ({ group, plural }: ResourceType, name: string) =>
    failure(404, 'NotFound', `${plural}${group && `.${group}`} "${name}" not found`, {
      ...{ name, group, kind: plural },
    }),
  readOnly: () =>
    failure(
      ...([405, 'MethodNotAllowed'] as const),
      'this bank runs without a cluster, and its Kubernetes API is read-only. The bank is made from the manifests in ' +
        'knative/services and eventing: change those and start the bank again.',
    ),
  foreignHost: () =>
    failure(403, 'Forbidden', 'the Kubernetes API of the local runtime answers only to localhost'),
  badRequest: (message: string) => failure(400, 'BadRequest', message),
  expired: (asked: number, oldest: number) =>
    failure(410, 'Expired', `too old resource version: ${asked} (${oldest})`),
  tooManyWatches: () => failure(429, 'TooManyRequests', 'too many watches are open'),
  internal: (message: string) => failure(500, 'InternalError', message),
}
