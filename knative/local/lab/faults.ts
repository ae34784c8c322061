import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastingPlaceOf, type FaultKind, type GivenFault } from '../../../functions/platform/lab/faults.ts'
import type { LabRun } from '../../../functions/platform/lab/run-schema.ts'
import { killWithChildren } from '../processes/daemon.ts'
import { DeliveryTap } from './delivery-tap.ts'
import { dropConfirms } from './drop-confirms.ts'
import { planOf, type PlannedFault } from './plan.ts'
import { createRandom } from './random.ts'
import type { LabWorld } from './world.ts'

/** What is broken at this moment. */
type BrokenSpot = LabRun['broken_now'][number]

export interface FaultsOptions {
  faults: readonly GivenFault[]
  seconds: number
  seed: number
  /** The source of the poison events. */
  poisonSource: string
  onFault: (fault: FaultKind, place: string) => void
  onDelivery: (service: string, eventId: string) => void
}

export interface RunningFaults {
  brokenNow(): BrokenSpot[]
  /** Whether deliveries that were touched have no answer yet. */
  isBusy(): boolean
  /**
   * Ends every fault at once: what is frozen goes on, what stands in between changes nothing more, and
   * nothing more of the plan is done. Servers that were killed are on their way back already. Deliveries are
   * still counted.
   */
  undo(): void
  /** Takes out what counts, too. */
  end(): void
}

/** How often a kill looks for a process to kill. */
const LOOK_MS = 25

/** Says why a bank can't have a fault; undefined if it can. */
export function impossible({ kind, function: target }: GivenFault, world: LabWorld): string | undefined {
  if (kind === 'rabbitmq-away' && !world.servers.rabbitmq)
    return 'The runtime has not started the queue itself, so it does not stop it.'
  if (kind === 'postgres-killed' && !world.servers.postgres)
    return 'The runtime has not started the databases itself, so it does not kill them.'
  if (target !== undefined && !world.services.has(target)) return `There is no function ${target}.`
  if (kind === 'slow-consumer' && !world.consumers.some(({ service }) => service === target))
    return `${target} gets no events.`
  return undefined
}

/** Begins the faults of a run. Those of a moment come when the seed says. */
export function beginFaults(world: LabWorld, options: FaultsOptions): RunningFaults {
  const { faults, seconds, seed, onFault, onDelivery } = options
  const over = new AbortController()
  setMaxListeners(0, over.signal)
  const spots = new Set<BrokenSpot>()
  const undoing: (() => void)[] = []
  const breaks = (place: string, fault: FaultKind): (() => void) => {
    const spot = { place, fault, since: new Date().toISOString() }
    spots.add(spot)
    return () => void spots.delete(spot)
  }
  const find = (kind: FaultKind): GivenFault | undefined => faults.find((fault) => fault.kind === kind)

  const slow = faults.filter(({ kind }) => kind === 'slow-consumer')
  const tap = new DeliveryTap(world.consumers, {
    times: find('repeat-deliveries')?.times ?? 1,
    delayMsMax: find('delay-deliveries')?.ms ?? 0,
    slowMs: new Map(slow.map((fault) => [fault.function!, fault.ms!])),
    ...{ random: createRandom(seed, 'deliveries'), onDelivery },
  })
  undoing.push(() => tap.calm())
  const dropping = find('drop-confirms')
  if (dropping) {
    const random = createRandom(seed, 'confirms')
    const draws = (): boolean => random() * 100 < dropping.percent!
    undoing.push(dropConfirms(world.ingresses, draws, () => onFault('drop-confirms', 'broker')))
  }
  for (const { kind, function: target } of faults) {
    const place = lastingPlaceOf(kind)
    if (place !== undefined) undoing.push(breaks(target ?? place, kind))
  }

  const context: FaultContext = { world, signal: over.signal, options, breaks, undoing, killed: new Set() }
  void follow(planOf(faults, seconds, seed), context)
  const undo = (): void => {
    over.abort()
    for (const restore of undoing.splice(0).reverse()) restore()
    spots.clear()
  }
  return {
    brokenNow: () => [...spots],
    isBusy: () => tap.isBusy,
    undo,
    end() {
      undo()
      tap.remove()
    },
  }
}

interface FaultContext {
  world: LabWorld
  signal: AbortSignal
  options: FaultsOptions
  breaks: (place: string, fault: FaultKind) => () => void
  undoing: (() => void)[]
  /** Pids of killed processes: a killed process runs for some moments more. */
  killed: Set<number>
}

async function follow(plan: readonly PlannedFault[], context: FaultContext): Promise<void> {
  const beganAt = performance.now()
  for (const planned of plan) {
    await pause(planned.atMs - (performance.now() - beganAt), context.signal)
    if (context.signal.aborted) return
    await make(planned, context)
  }
}

async function make({ fault, draw }: PlannedFault, context: FaultContext): Promise<void> {
  const { world, options } = context
  switch (fault.kind) {
    case 'kill-function':
      return killFunction(fault.function, draw, context)
    case 'postgres-killed':
      return killPostgres(context)
    case 'rabbitmq-away':
      return freezeRabbitmq(fault.seconds! * 1000, context)
    case 'poison-event':
      // While the queue is away, it can't be published; the run then has one less.
      await world.publish(poison(options.poisonSource)).then(
        () => options.onFault('poison-event', 'events'),
        () => undefined,
      )
      return
    default:
    // The others last for the whole run.
  }
}

/** Kills a process of a function, once it has one. */
async function killFunction(target: string | undefined, draw: number, context: FaultContext): Promise<void> {
  const { world, signal, options, killed } = context
  while (!signal.aborted) {
    const running = [...world.services].flatMap(([name, { pids }]) => {
      const pid = target === undefined || target === name ? pids.find((one) => !killed.has(one)) : undefined
      return pid === undefined ? [] : [{ name, pid }]
    })
    running.sort((one, other) => (one.name < other.name ? -1 : 1))
    const victim = running[Math.floor(draw * running.length)]
    if (victim) {
      // A process group of its own, as FunctionProcess.kill() has it.
      killed.add(victim.pid)
      if (kill(-victim.pid, 'SIGKILL')) options.onFault('kill-function', victim.name)
      return
    }
    await pause(LOOK_MS, signal)
  }
}

async function killPostgres({ world, signal, options, breaks, undoing }: FaultContext): Promise<void> {
  const killed = world.servers.postgres?.pid
  // It is just coming back from the kill before.
  if (killed === undefined) return
  const mend = breaks('postgres', 'postgres-killed')
  undoing.push(mend)
  killWithChildren(killed)
  options.onFault('postgres-killed', 'postgres')
  // It is started again by whoever keeps it alive. Not awaited: the plan goes on.
  void (async () => {
    while (!signal.aborted && [undefined, killed].includes(world.servers.postgres?.pid))
      await pause(LOOK_MS, signal)
    mend()
  })()
}

/** A frozen node answers nothing, keeps its connections, and confirms nothing. */
function freezeRabbitmq(ms: number, { world, signal, options, breaks, undoing }: FaultContext): void {
  const frozen = world.servers.rabbitmq?.pid
  if (frozen === undefined || !kill(frozen, 'SIGSTOP')) return
  options.onFault('rabbitmq-away', 'rabbitmq')
  const mend = breaks('rabbitmq', 'rabbitmq-away')
  let isFrozen = true
  const thaw = (): void => {
    // If it has been started again meanwhile, the pid may be another's.
    if (isFrozen && world.servers.rabbitmq?.pid === frozen) kill(frozen, 'SIGCONT')
    isFrozen = false
    mend()
  }
  undoing.push(thaw)
  void pause(ms, signal).then(thaw)
}

/** Says of a transaction that never was, unsigned, so that its consumer refuses it. */
function poison(source: string) {
  const id = randomUUID()
  const type = 'transaction.completed'
  const attributes = { specversion: '1.0', id, source, type, subject: id, time: new Date().toISOString() }
  return {
    attributes: { ...attributes, datacontenttype: 'application/json' },
    data: Buffer.from('{"poison":true}'),
  }
}

/** Returns false if the process has ended already. */
function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Ends early when the signal comes. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  ms <= 0 ? Promise.resolve() : sleep(ms, undefined, { signal }).catch(() => undefined)
