import { setTimeout as pause } from 'node:timers/promises'
import type { Tools } from '../host/tools.ts'
import { FollowedObjects } from './followed-objects.ts'
import { createKubernetesClient } from './kubernetes.ts'
import { readRuntime } from './runtime-report.ts'
import { topologyOf } from './topology.ts'
import type { BankTopology } from './topology-schema.ts'

/** Milliseconds from one look to the next: a stream gets at most two changes a second. */
const EVERY_MS = 500

/** Looks at the bank for all streams of this process, while there are any. */
export class TopologyFeed {
  readonly #tools: Tools
  readonly #objects: FollowedObjects
  readonly #listeners = new Set<object>()
  /** Ends the looks. A new one is made for each time that there are streams. */
  #ending = new AbortController()
  #current: BankTopology | undefined
  #waiting: (() => void)[] = []

  constructor(tools: Tools) {
    this.#tools = tools
    this.#objects = new FollowedObjects(createKubernetesClient(tools.config), tools.log)
  }

  join(listener: object): void {
    if (this.#listeners.size === 0) {
      this.#ending = new AbortController()
      this.#objects.start()
      void this.#look(this.#ending.signal)
    }
    this.#listeners.add(listener)
  }

  leave(listener: object): void {
    if (!this.#listeners.delete(listener)) return
    // Otherwise its stream would end at the next look only, or never.
    this.#told()
    if (this.#listeners.size > 0) return
    this.#ending.abort()
    this.#objects.stop()
    this.#current = undefined
  }

  /** What was seen last; undefined while the Kubernetes API or the runtime does not answer. */
  get current(): BankTopology | undefined {
    return this.#current
  }

  /** Resolves after the next look, or when a stream ends. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seen = await this.#read().catch(() => undefined)
      // A stream that has come since then has looks of its own.
      if (signal.aborted) return
      this.#current = seen
      this.#told()
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #read(): Promise<BankTopology | undefined> {
    const report = await readRuntime(this.#tools)
    const objects = this.#objects.current
    const { catalogue } = this.#tools
    return objects && topologyOf({ objects, report, catalogue, now: new Date() })
  }

  #told(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
