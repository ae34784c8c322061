import type { Log } from '../../../monitoring/log.ts'
import { openListener, PortTakenError, type Listener } from '../gateway/router.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import type { ReadObjects } from './object.ts'
import { createKubernetesApi } from './server.ts'

const PORT = 8081

export interface OpenKubernetesApi {
  port: number
  /** The file for KUBECONFIG. */
  kubeconfig: string
  stop(): Promise<void>
}

/**
 * Opens the Kubernetes API and writes the kubeconfig. The API listens only on this machine, even if the bank
 * also listens elsewhere.
 * @param options.port the port that it must use; by default 8081 or, if that is taken, any free port
 * @throws an error with a sentence if the given port is taken
 */
export async function openKubernetesApi(options: {
  read: ReadObjects
  startedAt: Date
  port: number | undefined
  dataDir: string
  log: Log
  /** Called with a sentence if it uses another port than 8081. */
  onProgress: (sentence: string) => void
}): Promise<OpenKubernetesApi> {
  const api = createKubernetesApi(options.read, options.startedAt, options.log)
  const open = (port: number): Promise<Listener> =>
    openListener(api.handler, port, ['127.0.0.1'], '--kubernetes-port')
  const listener = await open(options.port ?? PORT).catch(async (error: unknown) => {
    if (options.port !== undefined || !(error instanceof PortTakenError)) throw error
    const other = await open(0)
    options.onProgress(`port ${PORT} is taken: kubectl and kn are answered on port ${other.port}`)
    return other
  })
  return {
    port: listener.port,
    kubeconfig: writeKubeconfig(options.dataDir, listener.port),
    stop: () => {
      api.endWatches()
      return listener.stop(1000)
    },
  }
}
