import type { Infer } from '../host/schema.ts'

const text = { type: 'string' } as const
const moment = { type: 'string', format: 'date-time' } as const
const knownMs = { type: ['number', 'null'], minimum: 0 } as const
const counts = { type: 'array', items: { type: 'integer', minimum: 0 } } as const

const startSchema = {
  title: 'ColdStart',
  type: 'object',
  description:
    'The start of one process. `spawn_ms` and `port_open_ms` follow each other; their sum is `ready_ms`. `boot_ms` (Node itself) and `load_ms` (the function) are parts of `port_open_ms`, as the function reports them; `first_query_ms` is nearly always a part of `first_request_ms`. `idle_ms` lies between the open port and the first request. On a cluster only `ready_ms` is known, in whole seconds: from the pod’s creation until it was ready.',
  required: [
    ...['function', 'started_at', 'ready_ms', 'spawn_ms', 'port_open_ms', 'boot_ms', 'load_ms', 'idle_ms'],
    ...['first_request_ms', 'first_query_ms'],
  ],
  properties: {
    function: text,
    started_at: moment,
    ready_ms: knownMs,
    spawn_ms: knownMs,
    port_open_ms: knownMs,
    boot_ms: knownMs,
    load_ms: knownMs,
    idle_ms: knownMs,
    first_request_ms: knownMs,
    first_query_ms: knownMs,
  },
} as const

const histogramSchema = {
  title: 'ColdStartHistogram',
  type: 'object',
  required: ['function', 'phase', 'counts'],
  properties: {
    function: text,
    phase: { enum: ['spawn', 'port-open', 'boot', 'load', 'first-request', 'first-query'] },
    counts,
  },
} as const

export const coldStartsSchema = {
  title: 'ColdStarts',
  type: 'object',
  required: ['runtime', 'bare_node_ms', 'starts', 'bounds_ms', 'histograms'],
  properties: {
    runtime: { enum: ['local', 'cluster'] },
    bare_node_ms: {
      ...knownMs,
      description:
        'What no function can be faster than: the median of three starts of a bare Node on this machine, until its port is open. Null on a cluster, and while it is being measured.',
    },
    starts: { type: 'array', description: 'The last 50, the newest first.', items: startSchema },
    bounds_ms: {
      type: 'array',
      description: 'Upper bounds of the buckets. The last count of a histogram is of what is above them all.',
      items: { type: 'number' },
    },
    histograms: {
      type: ['array', 'null'],
      description: 'All starts since the bank started. Null on a cluster, where the meter has them.',
      items: histogramSchema,
    },
  },
} as const

export type ShownColdStarts = Infer<typeof coldStartsSchema>
export type ShownColdStart = Infer<typeof startSchema>
export type ShownPhase = Infer<typeof histogramSchema>['phase']
