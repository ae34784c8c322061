import type { Express, NextFunction, Request, Response } from 'express'
import { answer, answerError } from '../host/http/answer.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { authenticate } from '../host/http/request.ts'
import type { Tools } from '../host/tools.ts'
import { createTokenVerifier, type TokenVerifier } from '../host/http/tokens.ts'
import type { Cors } from './cors.ts'
import { createHealth } from './health.ts'
import { nothingHere } from './nothing-here.ts'
import { otherMethod, READING } from './wrong-method.ts'
import { ownRoutes } from './own-routes.ts'

interface Locals extends Record<string, unknown> {
  /** What the host knows about the request. */
  exchange: Exchange
}

type PageResponse = Response<unknown, Locals>

/** Creates the handler of everything but `/api`. `url` is the path and query. Express is loaded by the first
 * request. */
export function createPages(
  tools: Tools,
  catalogue: readonly CatalogueEntry[],
  cors: Cors,
): (exchange: Exchange, url: string) => Promise<void> {
  let app: Promise<Express> | undefined
  return async (exchange, url) => {
    app ??= createApp(tools, catalogue, cors)
    const handle = await app.catch((error: unknown) => {
      // The next request tries again.
      app = undefined
      throw error
    })
    exchange.request.url = url
    // express keeps an existing `locals`.
    handle(exchange.request, Object.assign(exchange.response, { locals: { exchange } }))
  }
}

async function createApp(tools: Tools, catalogue: readonly CatalogueEntry[], cors: Cors): Promise<Express> {
  const { default: express } = await import('express')
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  mountHealth(app, tools, catalogue)
  app.get('/.well-known/jwks.json', (_request, response) => {
    const headers = { 'cache-control': 'public, max-age=300' }
    answer(response, { status: 200, headers, body: tools.config.JWKS })
  })
  app.all(
    ownRoutes.map(({ path }) => path.replace(/\{(\w+)\}/g, ':$1')),
    (request, response) => {
      answer(response, otherMethod(request, READING, cors))
    },
  )
  app.use((_request, response) => {
    answer(response, nothingHere())
  })
  app.use((error: unknown, _request: Request, response: PageResponse, _next: NextFunction) => {
    if (response.headersSent) response.destroy()
    // Express could not decode a parameter of the path: it names nothing.
    else if (error instanceof URIError) answer(response, nothingHere())
    else answerError(response, error, tools.log, response.locals.exchange.traceId)
  })
  return app
}

function mountHealth(app: Express, tools: Tools, catalogue: readonly CatalogueEntry[]): void {
  const health = createHealth(catalogue, tools)
  let tokens: TokenVerifier | undefined
  app.get('/health', async (_request, response) => answer(response, await health.all()))
  // Only for operators, because it wakes every function.
  app.get('/health/services', async (request, response) => {
    tokens ??= createTokenVerifier(tools.config.JWKS)
    await authenticate(request, { who: 'operator' }, { tokens })
    answer(response, await health.services())
  })
  app.get('/health/:context', async (request, response) =>
    answer(response, await health.one(request.params.context)),
  )
}
