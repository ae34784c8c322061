import { setTimeout as sleep } from 'node:timers/promises'
import type { LabRun } from '../../../functions/platform/lab/run-schema.ts'
import type { FaultsOptions, RunningFaults } from './faults.ts'
import { Judge, poisonSourceOf } from './judge.ts'
import type { Oracle } from './oracle.ts'
import type { TrafficOptions } from './traffic.ts'

/** What a run is made of. */
export interface RunParts {
  oracle: Oracle
  beginFaults: (options: FaultsOptions) => RunningFaults
  /** Sends transactions. Resolves when the signal has come and each of them has its outcome. */
  sendTraffic: (options: Omit<TrafficOptions, 'count' | 'users' | 'onProgress'>) => Promise<unknown>
  /** Keeps what is known of the run so far. */
  keep: (run: LabRun) => void
  /** Longest time after the last fault in which nothing becomes better, in ms. */
  settleMsMax?: number
}

const SETTLE_MS_MAX = 120_000
const LOOK_MS = 1_000
const SETTLED_LOOK_MS = 200
const STORY_MAX = 500

/**
 * One run: traffic and faults, and beside them the look at what must be true. It ends by itself, when its
 * time is over or something is wrong. Then all faults are undone, all has to become well again, and the run
 * is judged.
 */
export class Run {
  readonly #run: LabRun
  readonly #parts: RunParts
  readonly #judge: Judge
  readonly #ending = new AbortController()
  readonly #abandon = new AbortController()
  #faults: RunningFaults | undefined
  #beganAt = 0
  #isTrafficOver = true
  /** Resolves when the run has ended. Never rejects. */
  readonly ended: Promise<void>

  constructor(run: LabRun, parts: RunParts) {
    this.#run = run
    this.#parts = parts
    this.#judge = new Judge(run, parts.oracle)
    this.ended = this.#live()
  }

  /** What is known now. */
  get report(): LabRun {
    return { ...this.#run, broken_now: this.#faults?.brokenNow() ?? [] }
  }

  /** Undoes all faults at once and ends the traffic. The run still judges what has happened. */
  stop(): void {
    this.#end('stop')
  }

  /** Undoes all faults and gives the rest up, because the bank stops. */
  async breakOff(): Promise<void> {
    this.#end('bank')
    this.#abandon.abort(new Error('the bank stops'))
    await this.ended
  }

  #end(by: NonNullable<LabRun['ended_by']>): void {
    this.#run.ended_by ??= by
    this.#faults?.undo()
    this.#ending.abort()
  }

  async #live(): Promise<void> {
    try {
      if (await this.#prepare()) await this.#break()
      await this.#settle()
      await this.#judge.judge()
      this.#run.verdict = this.#judge.isRed ? 'red' : this.#judge.hasTried ? 'green' : 'unproven'
    } catch (error) {
      this.#end('failure')
      this.#judge.prove(`the run was not finished: ${(error as Error).message}`)
      this.#run.verdict = 'none'
    } finally {
      this.#faults?.end()
      this.#abandon.abort()
      Object.assign(this.#run, { state: 'ended', ended_at: new Date().toISOString() })
      this.#keep()
      await this.#parts.oracle.close().catch(() => undefined)
    }
  }

  /** A run that can't be written, as on a full disk, must not end the bank. It is still in memory. */
  #keep(): void {
    try {
      this.#parts.keep(this.report)
    } catch (error) {
      this.#judge.prove(`the run could not be written: ${(error as Error).message}`)
    }
  }

  /** Opens the accounts of the traffic. Resolves with false if somebody has stopped the run meanwhile. */
  async #prepare(): Promise<boolean> {
    const { per_second: rate } = this.#run.traffic
    if (rate > 0) await new Promise<void>((resolve, reject) => this.#startTraffic(rate, resolve, reject))
    return !this.#ending.signal.aborted
  }

  #startTraffic(rate: number, onReady: () => void, onFailed: (error: Error) => void): void {
    this.#isTrafficOver = false
    void this.#parts
      .sendTraffic({
        ...{ rate, concurrency: Math.min(100, Math.max(4, rate)), repeatShare: 0.1, callsMax: Infinity },
        ...{ signal: this.#ending.signal, abandon: this.#abandon.signal },
        onAccounts: (accounts) => {
          this.#judge.accounts = accounts.map(({ id }) => id)
          onReady()
        },
        onAsked: () => this.#judge.asked(),
        onOutcome: (outcome) => this.#judge.answered(outcome),
      })
      .catch((error: Error) => {
        if (!this.#abandon.signal.aborted) this.#judge.prove(`the traffic ended early: ${error.message}`)
        // After onReady() this says nothing any more.
        onFailed(error)
      })
      .finally(() => (this.#isTrafficOver = true))
  }

  async #break(): Promise<void> {
    const { seconds, seed, faults } = this.#run
    this.#beganAt = performance.now()
    Object.assign(this.#run, { state: 'running', began_at: new Date().toISOString() })
    this.#keep()
    this.#faults = this.#parts.beginFaults({
      ...{ faults, seconds, seed, poisonSource: poisonSourceOf(this.#run) },
      onFault: (fault, place) => this.#onFault(fault, place),
      onDelivery: (service, eventId) => this.#judge.delivered(service, eventId),
    })
    // Not by the loop: a look takes long while a database is away.
    const timer = setTimeout(() => this.#end('time'), seconds * 1000)
    while (!this.#ending.signal.aborted) {
      await this.#judge.look()
      if (this.#judge.isRed) this.#end('red')
      await pause(LOOK_MS, this.#ending.signal)
    }
    clearTimeout(timer)
  }

  #onFault(fault: LabRun['story'][number]['fault'], place: string): void {
    this.#run.counts.faults++
    if (fault === 'poison-event') this.#judge.poisoned()
    const atMs = Math.max(0, Math.round(performance.now() - this.#beganAt))
    if (this.#run.story.length < STORY_MAX) this.#run.story.push({ at_ms: atMs, fault, place })
  }

  /**
   * Waits until all is well again, or nothing becomes better any more. After a long run with slow deliveries,
   * a whole bank needs longer than a fixed time for the events that wait.
   */
  async #settle(): Promise<void> {
    this.#run.state = 'settling'
    this.#keep()
    const stuckMsMax = this.#parts.settleMsMax ?? SETTLE_MS_MAX
    let openBefore = Infinity
    let lookedAt = performance.now()
    for (let stuckMs = 0; stuckMs < stuckMsMax;) {
      this.#abandon.signal.throwIfAborted()
      const isSettled = await this.#judge.isSettled()
      if (isSettled && this.#isTrafficOver && !this.#faults?.isBusy()) return
      const open = this.#judge.open
      const sinceMs = performance.now() - lookedAt
      lookedAt += sinceMs
      // Between two looks the whole machine may have stood still. Then nothing could become better, so only a
      // part of that time counts.
      stuckMs = open < openBefore ? 0 : stuckMs + Math.min(sinceMs, stuckMsMax / 10)
      openBefore = Math.min(open, openBefore)
      await pause(SETTLED_LOOK_MS, this.#abandon.signal)
    }
  }
}

/** Ends early when the signal comes. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)
