import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { answer } from '../../knative/host/answer.ts'
import type { CatalogueEntry } from '../../knative/host/catalogue.ts'
import { problem, ProblemError, problems } from '../../knative/host/problems.ts'
import { readWith } from '../../knative/host/read-with.ts'
import type { Services } from '../../knative/host/services.ts'
import { createForward } from './forward.ts'
import { createHealth } from './health.ts'
import { choose, createRouting, type Target } from './routing.ts'

const PREFIX = '/api'
const readBody = express.raw({ limit: '100kb', inflate: false, type: () => true })

/** Mounts the front door: one implementation, on a laptop and on a cluster. */
export function mountFrontDoor(app: Express, services: Services, catalogue: readonly CatalogueEntry[]): void {
  const find = createRouting(catalogue)
  const forward = createForward(services.config)
  const health = createHealth(catalogue, services)

  app.get('/health', async (_request, response) => answer(response, await health.all()))
  app.get('/health/services', async (_request, response) => answer(response, await health.services()))
  app.get('/health/:context', async (request, response) =>
    answer(response, await health.one(request.params.context)),
  )
  app.get('/.well-known/jwks.json', (_request, response) => {
    const headers = { 'cache-control': 'public, max-age=300' }
    answer(response, { status: 200, headers, body: services.config.JWKS })
  })

  app.use(PREFIX, async (request: Request, response: Response, next: NextFunction) => {
    const [path = '/'] = request.url.split('?')
    const found = find(request.method, path)
    if (found.kind === 'unknown') return next()
    if (found.kind === 'wrong-method') {
      const allow = found.allow.join(', ')
      return answer(
        response,
        problem(problems.methodNotAllowed, `Allowed here: ${allow}.`, { headers: { allow } }),
      )
    }
    const { targets } = found
    response.locals.handler = `${PREFIX}${targets[0]?.path}`
    const only = targets.length === 1 && !targets[0]?.when ? targets[0] : undefined
    const body = only ? undefined : await bufferBody(request, response)
    const target = only ?? choose(targets, parse(body))
    if (!target) return answer(response, unknownChoice(targets))
    await forward(request, response, { service: target.service, path: request.url, body })
  })
}

async function bufferBody(request: Request, response: Response): Promise<Buffer> {
  await readWith(readBody, request, response)
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

function parse(body: Buffer | undefined): unknown {
  try {
    return JSON.parse(body?.toString() ?? '')
  } catch {
    throw new ProblemError(problems.invalidJson, 'The body could not be read as a JSON object.')
  }
}

/** The refusal of a body that chooses none of the functions: says which field takes which values. */
function unknownChoice(targets: readonly Target[]) {
  const fields = [...new Set(targets.flatMap(({ when = {} }) => Object.keys(when)))]
  const errors = fields.map((field) => ({
    path: `/${field}`,
    message: `must be one of ${targets.map(({ when = {} }) => when[field]).join(', ')}`,
  }))
  return problem(problems.invalidInput, 'The body is not what this operation takes.', { errors })
}
