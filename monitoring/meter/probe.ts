import http from 'node:http'
import type { SampleSource } from './meter.ts'

// Less than the meter waits for a source: otherwise a silent front door would be left out, not down.
const ANSWER_MS_MAX = 3_000

/** Returns a source that asks the front door's `/healthz` whenever the values are shown. A request of its own
 * sees a gateway that is down, which no process can report. It keeps the front door awake, as its own
 * min-scale does. */
export function probeFrontDoor(options: http.RequestOptions): SampleSource {
  return async () => {
    const isUp = await probe({ ...options, path: '/healthz', agent: false })
    return [{ name: 'microbank_probe_success', labels: { target: 'front-door' }, value: isUp ? 1 : 0 }]
  }
}

function probe(options: http.RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.request(options, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.setTimeout(ANSWER_MS_MAX, () => request.destroy(new Error('no answer')))
    request.on('error', () => resolve(false))
    request.end()
  })
}
