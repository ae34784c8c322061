import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLog } from '../../../monitoring/log.ts'
import type { KubernetesObject, ReadObjects } from './object.ts'
import { createKubernetesApi } from './server.ts'

export const SERVICES = '/apis/serving.knative.dev/v1/namespaces/bank/services'

/** A Service for tests, as the API returns it. */
export const service = (
  name: string,
  ready: 'True' | 'False',
  labels: Record<string, string> = {},
): KubernetesObject => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: {
    name,
    namespace: 'bank',
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels,
  },
  status: { url: `http://${name}`, conditions: [{ type: 'Ready', status: ready }] },
})

export interface ApiAnswer {
  status: number
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

export const names = ({ body }: ApiAnswer): string[] =>
  body.items.map((item: KubernetesObject) => item.metadata.name)

/** Starts the API on a port of its own, over the objects that `read` returns. */
export async function startApi(read: ReadObjects) {
  const api = createKubernetesApi(read, new Date(), createLog({}, 'error'))
  const server = http.createServer(api.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const at = (path: string) => ({ host: '127.0.0.1', port, path, agent: false })
  return {
    port,
    endWatches: () => api.endWatches(),
    /** How many clients are connected. */
    connections: (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    ask: (
      path: string,
      options: { method?: string; headers?: Record<string, string> } = {},
    ): Promise<ApiAnswer> =>
      new Promise((resolve, reject) => {
        http
          .request({ ...at(path), ...options }, (response) => {
            let text = ''
            response.on('data', (chunk) => (text += chunk))
            response.on('end', () =>
              resolve({ status: response.statusCode!, body: text && JSON.parse(text) }),
            )
          })
          .on('error', reject)
          .end()
      }),
    /** Opens a watch of Services. */
    async watch(query: string) {
      const response = await new Promise<http.IncomingMessage>((resolve) =>
        http.get(at(`${SERVICES}?watch=true&${query}`), resolve),
      )
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      let isEnded = false
      response.on('end', () => (isEnded = true))
      const events = () =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      return {
        events,
        told: () => events().map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim()),
        isEnded: () => isEnded,
      }
    },
    async stop(): Promise<void> {
      api.endWatches()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
