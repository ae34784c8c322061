import { get } from 'node:http'

/** A process with requests that gives no sign of life for this long is asked for one. */
const SILENT_MS = 1_000
/** The first answer may have a database to connect to, on a machine that starts other things too. */
const SILENT_AT_FIRST_MS = 5_000
/** One that has shown that it lives, and only takes its time, is asked again after this long. */
const SILENT_AGAIN_MS = 5_000
const PROBE_MS_MAX = 1_500
/** More than one: this process may have been the one that stood still, as after a laptop's sleep. */
const PROBES = 2

/** Notices that a process has requests and says nothing. */
export class SilenceWatch {
  readonly #onSilent: () => void
  #timer: NodeJS.Timeout | undefined
  #isBusy = false
  #lastSignAt = 0
  #patienceMs = SILENT_AT_FIRST_MS

  /** `onSilent` is called for each such time; it may come again for the same request. */
  constructor(onSilent: () => void) {
    this.#onSilent = onSilent
  }

  /** The process has been given a request while it had none. */
  begin(): void {
    this.#isBusy = true
    this.#lastSignAt = performance.now()
    if (!this.#timer) this.#timer = this.#wait(this.#patienceMs)
  }

  /** It has answered something. */
  sign(): void {
    this.#lastSignAt = performance.now()
    this.#patienceMs = SILENT_MS
  }

  /** It has no requests any more. */
  end(): void {
    // The timer stays: most often the next request comes before it is over.
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

/** Whether a function's process lives: it answers `GET /healthz` (with whatever status), refuses connections,
 * or does neither. A connection alone proves nothing: the kernel accepts it for a process that stands
 * still. */
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
