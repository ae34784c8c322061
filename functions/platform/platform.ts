import { operation, route } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { version } from '../../package.json'
import { abilitiesOf } from './abilities.ts'
import { functionRoute } from './function-route.ts'
import { nobodysData } from './nobodys-data.ts'
import { createPlatformView, type PlatformView } from './platform-view.ts'
import { engineRoomRoutes } from './engine-room-routes.ts'
import { mailRoutes } from './mails.ts'
import { metricsRoute } from './metrics/metrics-route.ts'
import { isLocal } from './runtime-report.ts'
import { topologySchema } from './topology-schema.ts'

const boolean = { type: 'boolean' } as const

const platformSchema = {
  type: 'object',
  required: ['runtime', 'version', 'lab', 'traces', 'logs'],
  properties: {
    runtime: { enum: ['local', 'cluster'] },
    version: { type: 'string' },
    lab: boolean,
    traces: boolean,
    logs: boolean,
  },
} as const

/** Shows operators what the bank runs on. */
export default operation({
  name: 'platform',
  context: 'platform',
  summary: 'Shows which functions run, in which state, and what leads where',
  readsCatalogue: true,
  state: (tools: Tools): PlatformView => createPlatformView(tools),
  routes: [
    route({
      method: 'GET',
      path: '/platform',
      who: 'operator',
      audits: nobodysData,
      summary: 'What this installation runs on, and what it can show',
      answers: { 200: platformSchema },
      handle: async (_request, tools) => {
        const local = isLocal(tools)
        const body = { runtime: local ? 'local' : 'cluster', version, ...abilitiesOf(local) }
        return { status: 200, body }
      },
    }),
    route({
      method: 'GET',
      path: '/platform/topology',
      who: 'operator',
      audits: nobodysData,
      summary:
        'All functions with their state, the Broker, its Triggers, clocks, databases, and what leads where',
      answers: { 200: topologySchema },
      handle: async (_request, _tools, view: PlatformView) => ({ status: 200, body: await view.topology() }),
    }),
    functionRoute,
    ...engineRoomRoutes,
    ...mailRoutes,
    metricsRoute,
  ],
})
