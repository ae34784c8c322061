import { get } from 'node:http'

/** A process that has requests and doesn't answer anything for this long is probed. */
const SILENT_MS = 1_000
/**
 * Before the first answer it may need to connect to the database, on a machine that starts other things too.
 */
const SILENT_AT_FIRST_MS = 5_000
/** A process that proved that it lives, and is only slow, is probed again after this long. */
const SILENT_AGAIN_MS = 5_000
const PROBE_MS_MAX = 1_500
/** More than one, because the runtime itself may have been suspended, for example by a laptop's sleep. */
const PROBES = 2

/** Notices that a process has requests and doesn't answer. */
export class SilenceWatch {
  readonly #onSilent: () => void
  #timer: NodeJS.Timeout | undefined
  #isBusy = false
  #lastSignAt = 0
  #patienceMs = SILENT_AT_FIRST_MS

  /** `onSilent` is called for each silence; it may be called again for the same request. */
  constructor(onSilent: () => void) {
    this.#onSilent = onSilent
  }

  /** Call this when a process without requests gets one. */
  begin(): void {
    this.#isBusy = true
    this.#lastSignAt = performance.now()
    if (!this.#timer) this.#timer = this.#wait(this.#patienceMs)
  }

  /** Call this when it has answered something. */
  sign(): void {
    this.#lastSignAt = performance.now()
    this.#patienceMs = SILENT_MS
  }

  /** Call this when it has no more requests. */
  end(): void {
    // The timer stays, because the next request usually comes before it fires.
    this.#isBusy = false
  }

  #wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      if (!this.#isBusy) return
      const leftMs = this.#lastSignAt + this.#patienceMs - performance.now()
      this.#timer = this.#wait(leftMs > 0 ? leftMs : SILENT_AGAIN_MS)
      if (leftMs <= 0) this.#onSilent()
    }, ms).unref()
  }
}

export type Life = 'answers' | 'refuses' | 'silent'

/**
 * Probes a function's process. 'answers' means that it answers `GET /healthz`, with any status; 'refuses'
 * that it refuses connections; 'silent' that it does neither. A connection alone proves nothing: the kernel
 * accepts it even for a frozen process.
 */
export async function askForLife(port: number): Promise<Life> {
  let life: Life = 'silent'
  for (let n = 0; n < PROBES && life === 'silent'; n++) life = await probe(port)
  return life
}

function probe(port: number): Promise<Life> {
  return new Promise((resolve) => {
    const end = (life: Life): void => {
      clearTimeout(late)
      resolve(life)
      request.destroy()
    }
    const late = setTimeout(() => end('silent'), PROBE_MS_MAX)
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, () => end('answers'))
    request.on('error', () => end('refuses'))
  })
}
