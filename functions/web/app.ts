import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { answer, answerError } from '../host/http/answer.ts'
import { parseJson, readBytes } from '../host/http/body.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { vouch } from '../host/http/client-address.ts'
import { misframed, originForm } from '../host/http/framing.ts'
import { makeLast } from '../host/http/last-answer.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { problem, problems } from '../host/problems.ts'
import { authenticate } from '../host/http/request.ts'
import type { Tools } from '../host/tools.ts'
import { createTokenVerifier, type TokenVerifier } from '../host/http/tokens.ts'
import { createForward } from './forward.ts'
import { createHealth } from './health.ts'
import { choose, createRouting, type RouteTarget } from './routing.ts'

const PREFIX = '/api'

interface Locals extends Record<string, unknown> {
  /** What the host knows about the request. */
  exchange: Exchange
}

type FrontDoorResponse = Response<unknown, Locals>

/** Mounts the front door. The same code runs on a laptop and on a cluster. The returned handler answers every
 * request. */
export function mountFrontDoor(
  tools: Tools,
  catalogue: readonly CatalogueEntry[],
): (exchange: Exchange) => undefined {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  mountHealth(app, tools, catalogue)
  app.get('/.well-known/jwks.json', (_request, response) => {
    const headers = { 'cache-control': 'public, max-age=300' }
    answer(response, { status: 200, headers, body: tools.config.JWKS })
  })
  mountApi(app, tools, catalogue)
  app.use((_request, response) => {
    answer(response, nothingHere())
  })
  app.use((error: unknown, _request: Request, response: FrontDoorResponse, _next: NextFunction) => {
    if (response.headersSent) response.destroy()
    // Express could not decode a parameter of the path: it names nothing.
    else if (error instanceof URIError) answer(response, nothingHere())
    else answerError(response, error, tools.log, response.locals.exchange.traceId)
  })
  return (exchange) => {
    const { request, response } = exchange
    const path = originForm(request)
    const wrong = misframed(request) ?? (path === undefined ? 'The URL must be a path.' : undefined)
    if (wrong !== undefined) {
      makeLast(response)
      answer(response, problem(problems.badRequest, wrong))
      return
    }
    request.url = path
    // express keeps an existing `locals`.
    app(request, Object.assign(response, { locals: { exchange } }))
  }
}

const nothingHere = () => problem(problems.notFound, 'front-door has nothing at this address.')

function mountHealth(app: Express, tools: Tools, catalogue: readonly CatalogueEntry[]): void {
  const health = createHealth(catalogue, tools)
  let tokens: TokenVerifier | undefined
  app.get('/health', async (_request, response) => answer(response, await health.all()))
  // Only for operators, because it wakes every function.
  app.get('/health/services', async (request, response) => {
    await authenticate(request, 'operator', (tokens ??= createTokenVerifier(tools.config.JWKS)))
    answer(response, await health.services())
  })
  app.get('/health/:context', async (request, response) =>
    answer(response, await health.one(request.params.context)),
  )
}

/** Routes `/api/...` to the functions, by what they declare. */
function mountApi(app: Express, tools: Tools, catalogue: readonly CatalogueEntry[]): void {
  const find = createRouting(catalogue)
  const forward = createForward(tools.config)

  app.use(PREFIX, async (request: Request, response: FrontDoorResponse, next: NextFunction) => {
    const [path = '/'] = request.url.split('?')
    const found = find(request.method, path)
    if (found.kind === 'unknown') return next()
    if (found.kind === 'wrong-method') {
      const headers = { allow: found.allow.join(', ') }
      return answer(
        response,
        problem(problems.methodNotAllowed, `Allowed here: ${headers.allow}.`, { headers }),
      )
    }
    const { targets } = found
    const { exchange } = response.locals
    exchange.handler = `${PREFIX}${targets[0]?.path}`
    const only = targets.length === 1 && !targets[0]?.when ? targets[0] : undefined
    const body = only ? undefined : await readBytes(request)
    const target = only ?? choose(targets, parseJson(String(body)))
    if (!target) return answer(response, unknownChoice(targets))
    const { traceparent } = exchange
    vouch(request, tools.config.FRONT_DOOR_KEY)
    await forward(request, response, { service: target.service, path: request.url, body, traceparent })
  })
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
