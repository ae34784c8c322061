import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogueEntry } from '../../functions/host/catalogue-entry.ts'
import type { InstrumentName } from '../../monitoring/catalogue.ts'
import type { Log } from '../../monitoring/log.ts'
import { Meter } from '../../monitoring/meter/meter.ts'

/** Creates the meter of a bank whose bundles are in the folder `dist`. */
export const createMeter = ({ dist, log }: { dist: string; log: Log }): Meter =>
  new Meter({
    log,
    version: (readJson(join(dist, 'package.json')) as { version?: string }).version ?? '0.0.0',
    zeros: [
      ...zerosOf(Object.values(readJson(join(dist, 'catalogue.json'))) as CatalogueEntry[]),
      ...refusalZeros(Object.entries(readJson(join(dist, 'refusals.json'))) as [string, string[]][]),
    ],
  })

/** A runtime that runs other functions than the bank's has no such files. */
const readJson = (file: string): object =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {}

/** The counters of all routes, at their functions and at the front door. */
function* zerosOf(catalogue: readonly CatalogueEntry[]) {
  const name: InstrumentName = 'http_requests_total'
  for (const { name: service, routes } of catalogue)
    for (const { method, path } of routes)
      for (const status of ['2xx', '4xx', '5xx']) {
        yield { name, labels: { service, method, handler: path, status } }
        yield { name, labels: { service: 'front-door', method, handler: `/api${path}`, status } }
      }
}

/** The counters of all problems with which functions may answer. */
function* refusalZeros(refusals: readonly [service: string, names: readonly string[]][]) {
  const name: InstrumentName = 'microbank_refusals_total'
  for (const [service, names] of refusals)
    for (const refusal of names) yield { name, labels: { service, refusal } }
}
