import { readdirSync, readFileSync } from 'node:fs'
import {
  constants,
  monitorEventLoopDelay,
  performance,
  PerformanceObserver,
  type PerformanceEntry,
} from 'node:perf_hooks'
import type { InstrumentName } from './catalogue.ts'
import type { Tallies } from './tallies.ts'

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
])

export interface ProcessMetrics {
  /** Counts the processor time and memory since the last call; the first counts from the start of the
   * process on. */
  count(): void
  /** Returns the gauges of the process. */
  gauges(): Partial<Record<InstrumentName, number>>
  stop(): void
}

/** Watches this process: its memory, processor time, files, garbage collector and event loop. */
export function watchProcess(tallies: Pick<Tallies, 'count' | 'observe'>): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const collections = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as GcEntry[])
      tallies.observe(
        'nodejs_gc_duration_seconds',
        GC_KINDS.get(detail?.kind ?? 0) ?? 'minor',
        duration / 1000,
      )
  })
  collections.observe({ entryTypes: ['gc'] })
  let last = { cpuSeconds: 0, seconds: 0, bytes: 0 }

  return {
    count() {
      const { user, system } = process.cpuUsage()
      const now = { cpuSeconds: (user + system) / 1e6, seconds: performance.now() / 1000, bytes: rss() }
      tallies.count('process_cpu_seconds_total', '', now.cpuSeconds - last.cpuSeconds)
      const held = last.bytes === 0 ? now.bytes : (last.bytes + now.bytes) / 2
      tallies.count('microbank_memory_byte_seconds_total', '', held * (now.seconds - last.seconds))
      last = now
    },
    gauges() {
      const p99 = delay.percentile(99)
      delay.reset()
      return {
        process_resident_memory_bytes: rss(),
        process_start_time_seconds: performance.timeOrigin / 1000,
        nodejs_heap_size_used_bytes: process.memoryUsage().heapUsed,
        // The histogram measures whole rounds of its timer, not what is above them.
        nodejs_eventloop_lag_p99_seconds: Math.max(0, p99 / 1e9 - 0.02),
        ...files(),
      }
    },
    stop() {
      delay.disable()
      collections.disconnect()
    },
  }
}

type GcEntry = PerformanceEntry & { detail?: { kind?: number } }

const rss = (): number => process.memoryUsage.rss()

let filesMax: number | undefined

/** Reads how many files are open, where the system tells it. */
function files(): Partial<Record<InstrumentName, number>> {
  try {
    const limits = (): string => readFileSync('/proc/self/limits', 'utf8')
    filesMax ??= Number(/^Max open files +(\d+)/m.exec(limits())?.[1] ?? NaN)
    const open = readdirSync('/proc/self/fd').length
    return { process_open_fds: open, ...(filesMax > 0 && { process_max_fds: filesMax }) }
  } catch {
    return {}
  }
}
