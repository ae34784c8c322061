import type { ColdStart } from './process.ts'
import type { RuntimeStatus } from './runtime.ts'

/** What `npm run ps` prints: the Services, then the Brokers and their Triggers. */
export function statusTables({ pid, url, queue, services, brokers }: RuntimeStatus): string {
  const serviceRows = services.map((service) => [
    service.name,
    readiness(service),
    service.starting > 0 ? `${service.processes} (+${service.starting})` : String(service.processes),
    `${service.minScale}/${service.maxScale}`,
    service.held > 0 ? `${service.inFlight} (${service.held} held)` : String(service.inFlight),
    String(service.coldStarts),
    phases(service.lastColdStart),
    service.url,
  ])
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
    table(
      ['SERVICE', 'READY', 'PROCESSES', 'MIN/MAX', 'REQUESTS', 'COLD STARTS', 'LAST COLD START', 'URL'],
      serviceRows,
    ),
    'Last cold start in ms: until spawned / until its port was open / until its first response began.',
    table(['EVENTS', 'READY', 'BACKLOG', 'DEAD LETTERS'], triggerRows),
  ].join('\n\n')
}

function readiness({ ready, reason }: { ready: boolean; reason: string }): string {
  return ready ? 'True' : `False (${reason.slice(0, 60)})`
}

function phases(coldStart: ColdStart | undefined): string {
  if (!coldStart) return '-'
  const { spawnMs, portOpenMs, firstResponseMs } = coldStart
  return [spawnMs, portOpenMs, firstResponseMs].map((ms) => (ms == null ? '-' : Math.round(ms))).join(' / ')
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
