import { UnavailableError } from '../../eventing/unavailable.ts'
import type { Tools } from '../host/tools.ts'
import { askRuntime } from './ask-runtime.ts'

/** The phases of a start, in milliseconds. A phase that has not happened yet is missing. */
export interface StartReport {
  spawnMs?: number
  portOpenMs?: number
  bootMs?: number
  loadMs?: number
  firstRequestMs?: number
  firstQueryMs?: number
}

/** Returns the phases as the API shows them. One that is not known is null. */
export const toPhases = (start: StartReport) => ({
  spawn_ms: start.spawnMs ?? null,
  port_open_ms: start.portOpenMs ?? null,
  boot_ms: start.bootMs ?? null,
  load_ms: start.loadMs ?? null,
  first_request_ms: start.firstRequestMs ?? null,
  first_query_ms: start.firstQueryMs ?? null,
})

export interface ServiceReport {
  name: string
  processes: number
  starting: number
  wanted: number
  inFlight: number
  held: number
  coldStarts: number
  lastColdStart?: StartReport
}

export interface TriggerReport {
  name: string
  backlog: number | null
  deadLetters: number | null
  /** Events delivered since the start of the runtime. */
  delivered: number
}

/** What only the runtime of a laptop knows. */
export interface RuntimeReport {
  services: ServiceReport[]
  brokers: { name: string; triggers: TriggerReport[] }[]
}

/** Whether there is a runtime that can be asked, and so no cluster. */
export const isLocal = ({ config }: Pick<Tools, 'config'>): boolean => config.LOCAL_GATEWAY !== undefined

/** Asks the runtime of a laptop for its state. Resolves with undefined on a cluster, which has none; rejects
 * with an UnavailableError if it does not answer. */
export async function readRuntime(tools: Pick<Tools, 'send' | 'config'>): Promise<RuntimeReport | undefined> {
  if (!isLocal(tools)) return undefined
  const report = await askRuntime<RuntimeReport>(tools, '/')
  if (!report) throw new UnavailableError('the local runtime did not report its state')
  return report
}
