import { rounded } from '../../host/traces/hop-schema.ts'
import { costOf, spannedMs } from '../../host/traces/cost.ts'
import type { TraceHop } from '../../host/traces/hops.ts'
import { orNull } from '../../host/schema.ts'
import type { LifeStep } from './steps.ts'

const number = { type: 'number' } as const
const whole = { type: 'integer' } as const

export const summarySchema = {
  title: 'LifeSummary',
  type: 'object',
  additionalProperties: false,
  required: ['total_ms', 'waking_ms', 'woken', 'posting_ms', 'told_ms', 'hops', 'retries'],
  properties: {
    total_ms: {
      ...number,
      description: 'From the first hop to the last; without spans, from asked to told.',
    },
    waking_ms: { type: ['number', 'null'], description: 'In which a function started.' },
    woken: { type: 'array', items: { type: 'string' } },
    posting_ms: { type: ['number', 'null'], description: 'Of the statement that moves the money.' },
    told_ms: { type: ['number', 'null'], description: 'From the posting to the notification.' },
    hops: { ...orNull(whole), description: 'As many as are listed: waits and cold starts are hops too.' },
    retries: orNull(whole),
  },
} as const

export const costSchema = {
  title: 'Cost',
  type: 'object',
  additionalProperties: false,
  required: ['requests', 'gb_seconds', 'process_ms', 'cold_share'],
  properties: {
    requests: whole,
    gb_seconds: { ...number, description: 'Seconds of processes times gigabytes that they held.' },
    process_ms: number,
    cold_share: { ...number, minimum: 0, maximum: 1 },
  },
} as const

/** Returns the figures of a life. Those that only spans have are null without them. */
export function summaryOf(steps: readonly LifeStep[], hops: readonly TraceHop[]) {
  const at = (name: LifeStep['step']): number => Date.parse(steps.find(({ step }) => step === name)?.at ?? '')
  const [asked, booked, told] = [at('asked'), at('booked'), at('told')]
  const knownMs = (ms: number): number | null => (Number.isNaN(ms) ? null : Math.max(0, rounded(ms)))
  const fromFacts = {
    total_ms: Math.max(0, ([told, booked].find((moment) => !Number.isNaN(moment)) ?? asked) - asked),
    told_ms: knownMs(told - booked),
  }
  if (hops.length === 0)
    return { ...fromFacts, waking_ms: null, woken: [], posting_ms: null, hops: null, retries: null }
  const cold = hops.filter(({ kind }) => kind === 'cold-start')
  const posting = hops.find(({ kind, name }) => kind === 'sql' && name === 'post-transactions')
  const first = Math.min(...hops.map(({ startMs }) => startMs))
  return {
    total_ms: rounded(Math.max(...hops.map(({ startMs, ms }) => startMs + ms)) - first),
    waking_ms: rounded(spannedMs(cold)),
    woken: [...new Set(cold.map(({ service }) => service))],
    posting_ms: posting ? rounded(posting.ms) : null,
    told_ms: fromFacts.told_ms,
    hops: hops.length,
    retries: hops.filter(({ attempt }) => (attempt ?? 1) > 1).length,
  }
}

/** Returns what a life has cost, with figures that can be read. */
export function shownCost(hops: readonly TraceHop[]) {
  const cost = costOf(hops)
  return (
    cost && {
      ...cost,
      gb_seconds: Math.round(cost.gb_seconds * 1e6) / 1e6,
      process_ms: rounded(cost.process_ms),
      cold_share: Math.round(cost.cold_share * 1e4) / 1e4,
    }
  )
}
