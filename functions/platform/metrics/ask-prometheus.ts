import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { isLocal } from '../runtime-report.ts'
import type { WhyNoMetrics } from './picture-schema.ts'

type Point = [seconds: number, value: string]

/** A series as Prometheus answers it: at one moment, or over time. */
export interface PrometheusSeries {
  metric: Record<string, string>
  value?: Point
  values?: Point[]
}

/** Thrown if there is no Prometheus to ask. */
export class NoPrometheus extends Error {
  readonly why: WhyNoMetrics

  constructor(why: WhyNoMetrics) {
    super(why)
    this.why = why
  }
}

/** Thrown if Prometheus can't answer this query. */
export class QueryFailed extends Error {}

const TIMEOUT_MS = 10_000
/** Shorter, so that Prometheus says itself that a query takes too long, and of the others nothing is lost.
 * Two of them, one after the other, are less than a page waits. */
const QUERY_SECONDS = 6

/** Asks Prometheus. Rejects with NoPrometheus or QueryFailed. */
export async function askPrometheus(
  tools: Pick<Tools, 'send' | 'config'>,
  path: 'query' | 'query_range',
  query: Record<string, string>,
): Promise<PrometheusSeries[]> {
  const { PROMETHEUS_URL: base } = tools.config
  if (!base) throw new NoPrometheus('not-set')
  const url = `${base.replace(/\/+$/, '')}/api/v1/${path}?${new URLSearchParams({ ...query, timeout: `${QUERY_SECONDS}s` })}`
  const answer = await tools.send({ url, method: 'GET', timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
    if (error instanceof UnavailableError) throw new NoPrometheus('no-answer')
    throw error
  })
  // The runtime answers so if nothing watches its bank.
  if (answer.status === 404 && isLocal(tools)) throw new NoPrometheus('no-monitor')
  const told = parsed(answer.body.toString())
  if (told?.status === 'error') throw new QueryFailed(told.error ?? 'no reason given')
  if (!told?.data?.result) throw new NoPrometheus('no-answer')
  return told.data.result
}

interface PrometheusAnswer {
  status?: string
  error?: string
  data?: { result?: PrometheusSeries[] }
}

/** Something else than Prometheus may answer at its address. */
function parsed(text: string): PrometheusAnswer | undefined {
  try {
    const told = JSON.parse(text) as unknown
    return typeof told === 'object' && told !== null ? told : undefined
  } catch {
    return undefined
  }
}
