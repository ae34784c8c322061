import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { discover } from './discovery.ts'
import { failures, type FailureStatus } from './failure.ts'
import type { ReadObjects } from './object.ts'
import { apiVersionOf, RESOURCE_TYPES, type ResourceType } from './resource-types.ts'
import { BadSelector, selectorOf } from './selectors.ts'
import { createStore, type StoredObject } from './store.ts'
import { createWatches } from './watch.ts'
import { formOf } from './form.ts'

export interface KubernetesApi {
  handler: (request: IncomingMessage, response: ServerResponse) => void
  /** Ends the watches, which otherwise never end. */
  endWatches(): void
}

/**
 * Creates the read-only part of the Kubernetes API over the objects that `read` returns. It is enough for
 * kubectl and kn to list, get, describe, watch and wait. It has no users: everyone who reaches the port can
 * read everything, so it must listen only on this machine.
 */
export function createKubernetesApi(read: ReadObjects, startedAt: Date, log: Log): KubernetesApi {
  const snapshot = createStore(read, startedAt)
  const watches = createWatches(snapshot)

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A web page could let its own host name point to this machine and then read the answers for that name.
    if (!isLocal(request.headers.host)) return refuse(response, failures.foreignHost())
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, failures.readOnly())
    const url = urlOf(request)
    if (!url) return refuse(response, failures.noSuchPath())
    const { pathname, searchParams: query } = url
    if (/^\/(healthz|livez|readyz)$/.test(pathname)) return void response.end('ok')
    const discovered = discover(pathname)
    if (discovered) return send(response, discovered)
    const target = targetOf(pathname)
    if (!target) return refuse(response, failures.noSuchPath())

    const matches = selectorOf(query)
    const selects = (object: StoredObject): boolean => isOf(target, object) && matches(object)
    const form = formOf(target.type, request, query)
    // HEAD means the headers of GET's answer at once. A watch has no end, so HEAD never opens one.
    if (request.method === 'GET' && /^(true|1)$/.test(query.get('watch') ?? '')) {
      if (!(await watches.open(response, query, { ...form, type: target.type, selects })))
        refuse(response, failures.tooManyWatches())
      return
    }
    const now = await snapshot()
    const found = now.objects.filter(selects)
    if (target.name === undefined) return send(response, form.list(found, now))
    if (found.length === 0) return refuse(response, failures.notFound(target.type, target.name))
    return send(response, form.one(found[0]!, now))
  }

  return {
    handler(request, response) {
      answer(request, response).catch((error: unknown) => {
        if (error instanceof BadSelector) return refuse(response, failures.badRequest(error.message))
        log.error('the Kubernetes API could not answer', { error: String(error) })
        if (response.headersSent) response.destroy()
        else refuse(response, failures.internal((error as Error).message))
      })
    },
    endWatches: () => watches.end(),
  }
}

/** The URL of a request; undefined if it is not a path, such as `//[`. */
function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  try {
    return new URL(url, 'http://localhost')
  } catch {
    return undefined
  }
}

const isLocal = (host = ''): boolean => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)

/** What a path asks for: objects of one type in one namespace or in all, or one object by its name. */
interface ResourcePath {
  type: ResourceType
  namespace?: string
  name?: string
}

function targetOf(path: string): ResourcePath | undefined {
  const [root, ...parts] = path.split('/').slice(1)
  const [group, version, ...rest] = root === 'api' ? ['', ...parts] : parts
  if (root !== 'api' && root !== 'apis') return undefined
  const isWithin = rest[0] === 'namespaces' && rest.length > 2
  const [plural, name, ...more] = isWithin ? rest.slice(2) : rest
  const type = RESOURCE_TYPES.find(
    (known) => known.group === group && known.version === version && known.plural === plural,
  )
  if (
    !type ||
    more.length > 0 ||
    type.isNamespaced !== (isWithin || (name === undefined && type.isNamespaced))
  )
    return undefined
  return { type, ...(isWithin && { namespace: rest[1]! }), ...(name !== undefined && { name }) }
}

const isOf = (
  { type, namespace, name }: ResourcePath,
  { kind, apiVersion, metadata }: StoredObject,
): boolean =>
  kind === type.kind &&
  apiVersion === apiVersionOf(type) &&
  (namespace === undefined || metadata.namespace === namespace) &&
  (name === undefined || metadata.name === name)

function send(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}

const refuse = (response: ServerResponse, failed: FailureStatus): void => send(response, failed, failed.code)
