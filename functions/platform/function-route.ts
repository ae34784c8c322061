import { route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import { nobodysData } from './nobodys-data.ts'
import type { PlatformView } from './platform-view.ts'

/** What kubectl leaves in an object: the manifest as it was applied last, once more. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const manifestSchema = {
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: { type: 'object' },
  },
} as const

const functionDetailSchema = {
  type: 'object',
  required: ['name', 'routes', 'manifest'],
  properties: {
    name: { type: 'string' },
    routes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['method', 'path'],
        properties: { method: { type: 'string' }, path: { type: 'string' } },
      },
    },
    manifest: manifestSchema,
  },
} as const

/** The parameters of a path with the name of a function. */
export const functionParams = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' } },
} as const

/** One function: its routes, and its Service as Knative has it. */
export const functionRoute = route({
  method: 'GET',
  path: '/platform/functions/{name}',
  who: 'operator',
  audits: nobodysData,
  summary: 'The routes of a function, and its manifest with the patches that all share',
  params: functionParams,
  operationId: 'getPlatformFunction',
  answers: { 200: functionDetailSchema },
  problems: [problems.notFound],
  handle: async ({ params: { name } }, tools, { kubernetes }: PlatformView) => {
    const { items } = await kubernetes.list('services')
    const found = items.find(({ metadata }) => metadata.name === name)
    if (!found) return problem(problems.notFound, `There is no function ${name}.`)
    const { labels, annotations } = found.metadata
    const { [LAST_APPLIED]: _again, ...kept } = annotations ?? {}
    const metadata = {
      ...{ name, namespace: tools.config.SERVICE_DOMAIN.split('.')[0] },
      ...(labels && { labels }),
      ...(Object.keys(kept).length > 0 && { annotations: kept }),
    }
    const own = tools.catalogue.find((entry) => entry.name === name)?.routes ?? []
    const routes = own.map(({ method, path }) => ({ method, path: `/api${path}` }))
    const manifest = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec: found.spec }
    return { status: 200, body: { name, routes, manifest } }
  },
})
