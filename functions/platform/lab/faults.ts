/** The faults that the lab can make, and the bounds of their figures. The API and the local runtime share
 * them. */

/** The figures of faults, each with its unit in its name. */
export const faultFigures = ['times', 'every_ms', 'ms', 'percent', 'seconds', 'count'] as const
export type FaultFigure = (typeof faultFigures)[number]

interface FigureBounds {
  min: number
  max: number
  /** Taken if the request says nothing. */
  usual: number
}

interface FaultRule {
  /** What it takes of a function: its name or nothing (one at random), its name or this one, or nothing. */
  function: 'any' | 'none' | { usual: string }
  figures: Partial<Record<FaultFigure, FigureBounds>>
  /** What is broken for the whole run, unless a function is named. Undefined if the fault comes and goes. */
  lastsAt?: 'events' | 'broker'
}

export const faultRules = {
  /** Kills a process of the function (kill -9), again and again. */
  'kill-function': { function: 'any', figures: { every_ms: { min: 200, max: 60_000, usual: 1_000 } } },
  /** Hands each event to its consumer this many times, one after the other or all at once. */
  'repeat-deliveries': {
    ...{ function: 'none', lastsAt: 'events' },
    figures: { times: { min: 2, max: 10, usual: 5 } },
  },
  /** Holds each delivery back, for at most this long. Less than a Trigger's time-out. */
  'delay-deliveries': {
    ...{ function: 'none', lastsAt: 'events' },
    figures: { ms: { min: 1, max: 10_000, usual: 1_000 } },
  },
  /** Stores an event and breaks the connection instead of saying so. */
  'drop-confirms': {
    ...{ function: 'none', lastsAt: 'broker' },
    figures: { percent: { min: 1, max: 90, usual: 30 } },
  },
  /** Freezes the RabbitMQ node. Less than what it may be silent before the runtime ends it. */
  'rabbitmq-away': { function: 'none', figures: { seconds: { min: 1, max: 30, usual: 5 } } },
  /** Kills Postgres with all its sessions (kill -9). */
  'postgres-killed': { function: 'none', figures: { times: { min: 1, max: 10, usual: 1 } } },
  /** Lets a consumer answer this much later. */
  'slow-consumer': {
    function: { usual: 'notify' },
    lastsAt: 'events',
    figures: { ms: { min: 1, max: 10_000, usual: 2_000 } },
  },
  /** Publishes events that no consumer can process. */
  'poison-event': { function: 'none', figures: { count: { min: 1, max: 20, usual: 1 } } },
} as const satisfies Record<string, FaultRule>

export type FaultKind = keyof typeof faultRules
export const faultKinds = Object.keys(faultRules) as FaultKind[]

/** Returns what a fault that names no function breaks for the whole run; undefined if it comes and goes. */
export const lastingPlaceOf = (kind: FaultKind): string | undefined => (faultRules[kind] as FaultRule).lastsAt

/** A fault as a request gives it. */
export type GivenFault = { kind: FaultKind; function?: string } & Partial<Record<FaultFigure, number>>

const range = (figure: FaultFigure) => {
  const bounds = Object.values(faultRules as Record<string, FaultRule>).flatMap(
    ({ figures }) => figures[figure] ?? [],
  )
  return {
    type: 'integer',
    minimum: Math.min(...bounds.map(({ min }) => min)),
    maximum: Math.max(...bounds.map(({ max }) => max)),
  } as const
}

export const faultSchema = {
  title: 'LabFault',
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: {
    kind: { enum: faultKinds },
    function: {
      type: 'string',
      pattern: '^[a-z0-9-]{1,63}$',
      description: 'The function that is killed (without it, one at random), or that is slow.',
    },
    times: { ...range('times'), description: 'How often: deliveries of each event, or kills of Postgres.' },
    every_ms: { ...range('every_ms'), description: 'About how long after one kill the next one comes.' },
    ms: { ...range('ms'), description: 'How long a delivery waits at most, or a slow consumer always.' },
    percent: { ...range('percent'), description: 'The share of the confirms that get lost.' },
    seconds: { ...range('seconds'), description: 'How long RabbitMQ is away.' },
    count: { ...range('count'), description: 'How many events nobody can process.' },
  },
} as const

/**
 * Returns a fault with all its figures. Throws a FaultError if it has a figure or function that its kind
 * doesn't take, or one out of bounds.
 */
export function completeFault(given: GivenFault): GivenFault {
  const { kind, function: target, ...figures } = given
  const rule: FaultRule = faultRules[kind]
  if (target !== undefined && rule.function === 'none')
    throw new FaultError('/function', `${kind} is no fault of a single function`)
  for (const [name, value] of Object.entries(figures)) {
    const bounds = rule.figures[name as FaultFigure]
    if (!bounds) throw new FaultError(`/${name}`, `${kind} has no such figure`)
    if (value < bounds.min || value > bounds.max)
      throw new FaultError(`/${name}`, `must be from ${bounds.min} to ${bounds.max} for ${kind}`)
  }
  const usual = Object.entries(rule.figures).map(([name, bounds]) => [name, bounds.usual])
  const named = target ?? (typeof rule.function === 'object' ? rule.function.usual : undefined)
  return { kind, ...(named !== undefined && { function: named }), ...Object.fromEntries(usual), ...figures }
}

export class FaultError extends Error {
  /** A JSON pointer into the fault. */
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}
