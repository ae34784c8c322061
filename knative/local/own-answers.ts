import { join } from 'node:path'
import type { Meter } from '../../monitoring/meter/meter.ts'
import { instrumentOf } from '../../monitoring/catalogue.ts'
import type { DeliveryRates } from './eventing/delivery-rates.ts'
import type { OwnAnswer, OwnAnswers } from './gateway/router.ts'
import { lastLines } from './last-lines.ts'
import type { BareNode } from './serving/bare-node.ts'
import type { RecentStarts } from './serving/recent-starts.ts'
import type { Service } from './serving/service.ts'
import type { RuntimeStatus } from './status.ts'

export interface OwnAnswersOptions {
  dataDir: string
  services: ReadonlyMap<string, Service>
  meter: Pick<Meter, 'histograms'>
  starts: RecentStarts
  bareNode: Pick<BareNode, 'medianMs'>
  rates: DeliveryRates
  status: () => Promise<RuntimeStatus>
}

const LINES_MAX = 500

/** What only the runtime knows of this bank, by path. The context `platform` asks for it. */
export function ownAnswers(options: OwnAnswersOptions): OwnAnswers {
  const { dataDir, services, status, rates, starts, bareNode } = options
  return new Map<string, OwnAnswer>([
    [
      '/cold-starts',
      async () => ({
        starts: starts.list(),
        histograms: coldStartHistograms(options.meter),
        bareNodeMs: bareNode.medianMs() ?? null,
      }),
    ],
    [
      '/events',
      async () => {
        const { queue, brokers } = await status()
        const rated = brokers.map(({ triggers, ...broker }) => ({
          ...broker,
          triggers: triggers.map((trigger) => ({ ...trigger, rate: rates.of(trigger.name) })),
        }))
        return { queue, slotSeconds: rates.slotSeconds, brokers: rated }
      },
    ],
    [
      '/logs',
      async (query) => {
        const service = query.get('service') ?? ''
        // Only a Service's name is a name of a file.
        if (!services.has(service)) return undefined
        const limit = Math.min(LINES_MAX, Math.max(1, Math.trunc(Number(query.get('limit'))) || 100))
        return lastLines(join(dataDir, 'logs'), service, { level: query.get('level') ?? undefined, limit })
      },
    ],
  ])
}

const COLD_STARTS = 'microbank_cold_start_seconds'

/** All cold starts since the bank started, by function and phase. */
function coldStartHistograms(meter: Pick<Meter, 'histograms'>) {
  return {
    boundsMs: instrumentOf(COLD_STARTS)!.buckets!.map((seconds) => seconds * 1000),
    series: [...meter.histograms(COLD_STARTS)].map(({ labels, value }) => ({
      service: labels.service!,
      phase: labels.phase!,
      /** One more than the bounds: the last has no upper one. */
      counts: value.counts,
    })),
  }
}
