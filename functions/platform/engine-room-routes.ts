import { route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import { readColdStarts } from './cold-starts.ts'
import { coldStartsSchema } from './cold-starts-schema.ts'
import { deliveriesSchema, readDeliveries } from './deliveries.ts'
import { functionLogSchema, LEVELS, readFunctionLog } from './function-log.ts'
import { functionParams } from './function-route.ts'
import { nobodysData } from './nobodys-data.ts'
import type { PlatformView } from './platform-view.ts'

const functionName = functionParams.properties.name

/** How functions started, what Triggers deliver, and what functions have logged. None wakes a function. */
export const engineRoomRoutes = [
  route({
    method: 'GET',
    path: '/platform/cold-starts',
    who: 'operator',
    audits: nobodysData,
    summary: 'How the last functions started, phase by phase; all starts as histograms',
    query: { type: 'object', additionalProperties: false, properties: { function: functionName } },
    answers: { 200: coldStartsSchema },
    handle: async ({ query }, tools, view: PlatformView) => ({
      status: 200,
      body: await readColdStarts(tools, view, query.function),
    }),
  }),
  route({
    method: 'GET',
    path: '/platform/events',
    who: 'operator',
    audits: nobodysData,
    summary:
      'Brokers and Triggers: what each takes, how it delivers, what waits and what was delivered lately',
    answers: { 200: deliveriesSchema },
    handle: async (_request, tools, view: PlatformView) => ({
      status: 200,
      body: await readDeliveries(tools, view),
    }),
  }),
  route({
    method: 'GET',
    path: '/platform/functions/{name}/logs',
    who: 'operator',
    audits: { nothing: 'logs have ids, and nobody’s data' },
    summary: 'The last lines that a function has logged',
    params: functionParams,
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        level: { enum: LEVELS, default: 'debug', description: 'The least level.' },
        limit: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
      },
    },
    answers: { 200: functionLogSchema },
    problems: [problems.notFound],
    handle: async ({ params, query }, tools, view: PlatformView) => {
      const body = await readFunctionLog(tools, view, params.name, query)
      return body ? { status: 200, body } : problem(problems.notFound, 'There is no function with this name.')
    },
  }),
]
