import type { ProcessRecords } from '../processes/leftovers.ts'
import { FunctionProcess } from '../processes/process.ts'

const STARTS = 3
const SERVER = `require('node:http').createServer((_, response) => response.end()).listen(process.env.PORT, '127.0.0.1')`
const START_MS_MAX = 30_000

/**
 * Measures what no function can be faster than: a process of Node that only opens its port, started and timed
 * as functions are, on this machine.
 */
export class BareNode {
  readonly #records: ProcessRecords
  #measured: Promise<void> | undefined
  #running: FunctionProcess | undefined
  #isStopped = false
  #times: number[] = []

  constructor(records: ProcessRecords) {
    this.#records = records
  }

  /**
   * The median of three starts in ms, from asking for the process to its open port. The first call begins to
   * measure, which takes some 50 ms of processor time for each; until it is over, the answer is undefined.
   */
  medianMs(): number | undefined {
    this.#measured ??= this.#measure()
    return this.#times.length < STARTS ? undefined : this.#times.sort((a, b) => a - b)[(STARTS - 1) / 2]
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#running?.kill()
    await this.#measured
  }

  async #measure(): Promise<void> {
    while (this.#times.length < STARTS && !this.#isStopped) {
      const process = (this.#running = new FunctionProcess({
        ...{ service: 'bare-node', script: '-e', args: [SERVER], env: {} },
        ...{ startTimeoutMs: START_MS_MAX, stopTimeoutMs: 0 },
        onLine: () => undefined,
        onPhase: () => undefined,
        records: this.#records,
      }))
      const isReady = await process.ready.then(
        () => true,
        () => false,
      )
      process.kill()
      await process.exited
      if (!isReady) return
      const { spawnMs = 0, portOpenMs = 0 } = process.coldStart
      this.#times.push(spawnMs + portOpenMs)
    }
  }
}
