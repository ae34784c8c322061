import { answer } from '../host/http/answer.ts'
import { BODY_BYTES_MAX, parseJson, readBytes } from '../host/http/body.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { createVoucher } from '../host/http/client-address.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { problem, problems } from '../host/problems.ts'
import type { Tools } from '../host/tools.ts'
import type { Cors } from './cors.ts'
import { createForward } from './forward.ts'
import { nothingHere } from './nothing-here.ts'
import { otherMethod } from './wrong-method.ts'
import { choose, createRouting, type RouteTarget } from './routing.ts'
import { createStreamPlaces } from './stream-places.ts'

/** Creates the handler of `/api/...`, which routes each request to a function by what the functions declare.
 * `url` is the path and query without `/api`. */
export function createApi(
  { config }: Tools,
  catalogue: readonly CatalogueEntry[],
  cors: Cors,
): (exchange: Exchange, url: string) => Promise<void> {
  const find = createRouting(catalogue)
  const forward = createForward(config)
  const vouch = createVoucher(config.FRONT_DOOR_KEY)
  const takePlace = createStreamPlaces(config.JWKS)

  return async (exchange, url) => {
    const { request, response } = exchange
    const search = url.indexOf('?')
    const found = find(request.method ?? '', search === -1 ? url : url.slice(0, search))
    if (found.kind === 'unknown') return answer(response, nothingHere())
    if (found.kind === 'wrong-method') return answer(response, otherMethod(request, found.allow, cors))
    const { targets } = found
    exchange.handler = `/api${targets[0]?.path}`
    const only = targets.length === 1 && !targets[0]?.when ? targets[0] : undefined
    // The body is read to choose the function, and then passed on as it is.
    const body = only ? undefined : await readBytes(request)
    const target = only ?? choose(targets, parseJson(String(body)))
    if (!target) return answer(response, unknownChoice(targets))
    const { traceparent } = exchange
    const { service, streams, streamedBodyBytesMax } = target
    const client = vouch(request)
    const to = { service, path: url, body, streams, streamedBodyBytesMax, traceparent, client }
    // Small bodies need no place: they are read before they hold a connection. So are providers' hooks.
    const isUpload = streamedBodyBytesMax !== undefined && streamedBodyBytesMax > BODY_BYTES_MAX
    const kind = streams ?? (isUpload ? 'upload' : undefined)
    if (!kind) return forward(request, response, to)
    const leave = await takePlace(request, kind)
    return forward(request, response, to).finally(leave)
  }
}

/** Refuses a body that chooses none of the functions, and says which field accepts which values. */
function unknownChoice(targets: readonly RouteTarget[]) {
  const fields = [...new Set(targets.flatMap(({ when = {} }) => Object.keys(when)))]
  const errors = fields.map((field) => ({
    path: `/${field}`,
    message: `must be one of ${targets.map(({ when = {} }) => when[field]).join(', ')}`,
  }))
  return problem(problems.invalidInput, 'The body does not match what this operation accepts.', { errors })
}
