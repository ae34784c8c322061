import type { Infer } from '../host/schema.ts'
import { contexts, type Context } from '../contexts.ts'

const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const
/** Null where it is not known, which on a cluster is most of what only a runtime counts. */
const knownCount = { type: ['integer', 'null'] } as const
const knownMs = { type: ['number', 'null'] } as const

const contextNames = Object.keys(contexts) as Context[]

/** The phases of the last start of a function, in milliseconds. */
const lastStartSchema = {
  type: ['object', 'null'],
  required: [
    'total_ms',
    'spawn_ms',
    'port_open_ms',
    'boot_ms',
    'load_ms',
    'first_request_ms',
    'first_query_ms',
  ],
  properties: {
    total_ms: knownMs,
    spawn_ms: knownMs,
    port_open_ms: knownMs,
    boot_ms: knownMs,
    load_ms: knownMs,
    first_request_ms: knownMs,
    first_query_ms: knownMs,
  },
} as const

export const functionStates = ['zero', 'starting', 'ready', 'busy', 'failing'] as const

export const shownFunctionSchema = {
  type: 'object',
  required: [
    ...['name', 'context', 'is_public', 'state', 'reason', 'processes', 'starting', 'min_scale', 'max_scale'],
    ...['concurrency', 'in_flight', 'held', 'cold_starts', 'last_start'],
  ],
  properties: {
    name: text,
    context: { enum: contextNames },
    is_public: { type: 'boolean' },
    state: { enum: functionStates },
    reason: { type: ['string', 'null'] },
    processes: count,
    starting: count,
    min_scale: count,
    max_scale: knownCount,
    concurrency: knownCount,
    in_flight: knownCount,
    held: knownCount,
    cold_starts: knownCount,
    last_start: lastStartSchema,
  },
} as const

const readiness = { ready: { type: 'boolean' }, reason: { type: ['string', 'null'] } } as const

const brokerSchema = {
  type: 'object',
  required: ['name', 'ready', 'reason'],
  properties: { name: text, ...readiness },
} as const

export const shownTriggerSchema = {
  type: 'object',
  required: [
    ...['name', 'broker', 'ready', 'reason', 'filter', 'subscriber', 'dead_letter_sink', 'backlog'],
    ...['dead_letters', 'delivered'],
  ],
  properties: {
    name: text,
    broker: text,
    ...readiness,
    filter: {
      type: 'array',
      items: {
        type: 'object',
        required: ['attribute', 'value'],
        properties: { attribute: text, value: text },
      },
    },
    subscriber: { type: ['string', 'null'] },
    dead_letter_sink: { type: ['string', 'null'] },
    backlog: knownCount,
    dead_letters: knownCount,
    delivered: knownCount,
  },
} as const

const clockSchema = {
  type: 'object',
  required: ['name', 'schedule', 'function'],
  properties: { name: text, schedule: text, function: { type: ['string', 'null'] } },
} as const

const edgeSchema = {
  type: 'object',
  required: ['from', 'to', 'kind'],
  properties: {
    from: text,
    to: text,
    kind: { enum: ['request', 'call', 'store', 'publish', 'filter', 'deliver', 'dead-letter', 'wake'] },
  },
} as const

export const topologySchema = {
  type: 'object',
  required: ['as_of', 'runtime', 'functions', 'brokers', 'triggers', 'clocks', 'databases', 'edges'],
  properties: {
    as_of: { type: 'string', format: 'date-time' },
    runtime: { enum: ['local', 'cluster'] },
    functions: { type: 'array', items: shownFunctionSchema },
    brokers: { type: 'array', items: brokerSchema },
    triggers: { type: 'array', items: shownTriggerSchema },
    clocks: { type: 'array', items: clockSchema },
    databases: { type: 'array', items: { enum: contextNames } },
    edges: { type: 'array', items: edgeSchema },
  },
} as const

export type BankTopology = Infer<typeof topologySchema>
export type ShownFunction = Infer<typeof shownFunctionSchema>
export type ShownTrigger = Infer<typeof shownTriggerSchema>
export type ShownEdge = Infer<typeof edgeSchema>
