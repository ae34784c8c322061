import { createLog } from '../../monitoring/log.ts'
import { startFacts } from '../../monitoring/meter/facts.ts'
import { probeFrontDoor } from '../../monitoring/meter/probe.ts'
import { serveMeter } from '../../monitoring/meter/serve.ts'
import { createMetrics } from '../../monitoring/metrics.ts'
import { databaseContexts } from '../../functions/contexts.ts'
import { createMeter } from './create-meter.ts'

/**
 * The meter as a program of its own, as a cluster runs it: `node dist/meter.cjs http://front-door`. The
 * argument is the URL of the front door, which it probes; without one it probes nothing. It takes reports on
 * REPORTS_PORT (4318), shows all metrics on METRICS_PORT (9464), and reads the facts of each context that has
 * a `<CONTEXT>_DATABASE_METER_URL`.
 *
 * SIGTERM: it takes no more reports, waits for one more scrape (20 s at most), and ends. Otherwise the
 * reports since the last scrape would be lost.
 */
const log = createLog({ service: 'meter' })
const LAST_SCRAPE_MS_MAX = 20_000

async function main([frontDoor]: readonly string[]): Promise<void> {
  const databases = Object.fromEntries(
    databaseContexts.flatMap((context) => {
      const url = process.env[`${context.toUpperCase()}_DATABASE_METER_URL`]
      return url ? [[context, url] as const] : []
    }),
  )
  const meter = createMeter({ dist: __dirname, log })
  const facts = startFacts({ databases, log })
  meter.addSource(() => facts.samples())
  if (frontDoor) {
    const { hostname, port } = new URL(frontDoor)
    meter.addSource(probeFrontDoor({ hostname, port: port || 80 }))
  }
  const { ports, stop } = await serveMeter(meter, {
    reports: Number(process.env.REPORTS_PORT ?? 4318),
    metrics: Number(process.env.METRICS_PORT ?? 9464),
  })
  const endpoint = `http://127.0.0.1:${ports.reports}/v1/metrics`
  const own = createMetrics({
    endpoint,
    headers: {},
    gateway: undefined,
    service: 'meter',
    revision: '',
    log,
  })
  log.info('the meter takes reports', { ports, facts: Object.keys(databases) })

  const end = async (): Promise<void> => {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    await own.stop()
    if (!(await stop(LAST_SCRAPE_MS_MAX))) log.warn('nobody read the metrics at the end')
    await facts.stop()
    log.info('the meter ended')
  }
  const onSignal = (): void => void end().then(() => process.exit(0), fail)
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
}

function fail(error: Error): never {
  log.error('the meter failed', { error: error.message })
  process.exit(1)
}

main(process.argv.slice(2)).catch(fail)
