import type { ColdStart } from './serving/cold-start.ts'
import { STATUS_HOST } from './gateway/hosts.ts'
import type { RuntimeStatus } from './status.ts'

/** What `npm run ps` prints: the Services, how they started last, then the Brokers and their Triggers. */
export function statusTables({ pid, url, queue, services, brokers }: RuntimeStatus): string {
  const serviceRows = services.map((service) => [
    service.name,
    readiness(service),
    service.starting > 0 ? `${service.processes} (+${service.starting})` : String(service.processes),
    `${service.minScale}/${service.maxScale}`,
    service.held > 0 ? `${service.inFlight} (${service.held} held)` : String(service.inFlight),
    service.url,
  ])
  const startRows = services.flatMap(({ name, coldStarts, lastColdStart }) =>
    lastColdStart ? [[name, String(coldStarts), ...phases(lastColdStart)]] : [],
  )
  const triggerRows = brokers.flatMap((broker) => [
    [`broker ${broker.name}`, readiness(broker), '', ''],
    ...broker.triggers.map((trigger) => [
      `trigger ${trigger.name}`,
      readiness(trigger),
      String(trigger.backlog ?? '?'),
      String(trigger.deadLetters ?? '?'),
    ]),
  ])
  return [
    `microbank at ${url}, process ${pid}. Events go through ${queue}.`,
    table(['SERVICE', 'READY', 'PROCESSES', 'MIN/MAX', 'REQUESTS', 'URL'], serviceRows),
    table(
      ['COLD STARTS', 'COUNT', 'SPAWN', 'PORT OPEN', 'NODE', 'CODE', 'FIRST REQUEST', 'FIRST QUERY', 'TOTAL'],
      startRows,
    ),
    'Times of the last cold start in ms. TOTAL = SPAWN + PORT OPEN + FIRST REQUEST. NODE and CODE are parts of\n' +
      'PORT OPEN, FIRST QUERY is a part of FIRST REQUEST. All cold starts, as a histogram:\n' +
      `http://${STATUS_HOST}:${new URL(url).port}/metrics`,
    table(['EVENTS', 'READY', 'BACKLOG', 'DEAD LETTERS'], triggerRows),
  ].join('\n\n')
}

function readiness({ ready, reason }: { ready: boolean; reason: string }): string {
  return ready ? 'True' : `False (${reason.slice(0, 60)})`
}

function phases(last: ColdStart): string[] {
  const { spawnMs, portOpenMs, firstRequestMs } = last
  const totalMs =
    firstRequestMs === undefined ? undefined : (spawnMs ?? 0) + (portOpenMs ?? 0) + firstRequestMs
  return [spawnMs, portOpenMs, last.bootMs, last.loadMs, firstRequestMs, last.firstQueryMs, totalMs].map(
    (ms) => (ms === undefined ? '-' : String(Math.round(ms))),
  )
}

function table(headings: string[], rows: string[][]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)))
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}
