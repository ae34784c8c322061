import { route } from '../../host/operation.ts'
import { problem, problems } from '../../host/problems.ts'
import { functionParams } from '../function-route.ts'
import { nobodysData } from '../nobodys-data.ts'
import { pictureSchema, STEP_SECONDS } from './picture-schema.ts'

const RANGES = Object.keys(STEP_SECONDS) as (keyof typeof STEP_SECONDS)[]

/** The dashboards of monitoring/dashboards, with what Prometheus answers. */
export const metricsRoute = route({
  method: 'GET',
  path: '/platform/metrics',
  who: 'operator',
  audits: nobodysData,
  summary: 'A dashboard with the answers of Prometheus, or why there are none',
  query: {
    type: 'object',
    additionalProperties: false,
    properties: {
      dashboard: { type: 'string', pattern: '^[a-z]{1,30}$', default: 'overview' },
      range: { enum: RANGES, default: '15m', description: 'How much time it covers.' },
      service: {
        ...functionParams.properties.name,
        description: 'The function to which panels are limited, if they can be.',
      },
    },
  },
  answers: { 200: pictureSchema },
  problems: [problems.notFound],
  async handle({ query }, tools) {
    // Nothing else of the platform needs the dashboards.
    const { readPicture } = await import('./read-picture.ts')
    const body = await readPicture(tools, query, Date.now())
    return body ? { status: 200, body } : problem(problems.notFound, 'There is no such dashboard.')
  },
})
