import type { Tools } from '../host/tools.ts'
import { createKubernetesClient, type KubernetesClient } from './kubernetes.ts'
import { readRuntime } from './runtime-report.ts'
import { topologyOf } from './topology.ts'
import type { BankTopology } from './topology-schema.ts'

/** What the routes of the platform share. */
export interface PlatformView {
  kubernetes: KubernetesClient
  /** Reads everything that is shown. Rejects with an UnavailableError if a part does not answer. It wakes no
   * function. */
  topology(): Promise<BankTopology>
}

export function createPlatformView(tools: Tools): PlatformView {
  const kubernetes = createKubernetesClient(tools.config)
  return {
    kubernetes,
    async topology() {
      const [objects, report] = await Promise.all([kubernetes.all(), readRuntime(tools)])
      return topologyOf({ objects, report, catalogue: tools.catalogue, now: new Date() })
    },
  }
}
