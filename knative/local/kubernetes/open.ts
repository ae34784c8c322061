import type { Log } from '../../../monitoring/log.ts'
import { openListener, PortTakenError, type Listener } from '../gateway/router.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import type { ReadObjects } from './object.ts'
import { createKubernetesApi } from './server.ts'

const PORT = 8081

export interface OpenKubernetesApi {
  port: number
  /** File for KUBECONFIG. */
  kubeconfig: string
  stop(): Promise<void>
}

/** Opens the Kubernetes API on this machine alone, wherever else the bank listens, and writes the kubeconfig.
 * @param options.port where it has to be; without one it is 8081, or any that is free where that is taken
 * @throws an error with a sentence where the port that was asked for is taken */
export async function openKubernetesApi(options: {
  read: ReadObjects
  startedAt: Date
  port: number | undefined
  dataDir: string
  log: Log
  /** Told, in a sentence, where it is instead. */
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
