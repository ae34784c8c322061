import { ofFacts } from './catalogue/facts.ts'
import type { Instrument } from './catalogue/instrument.ts'
import { ofPlatform } from './catalogue/platform.ts'
import { ofProcesses } from './catalogue/processes.ts'

export type { Instrument, Sample } from './catalogue/instrument.ts'

const all = [...ofProcesses, ...ofFacts, ...ofPlatform] as const

export type InstrumentName = (typeof all)[number]['name']

/** Every metric of the bank. Instruments, what the meter takes, and docs/metrics.md are made from it
 * alone. */
export const catalogue: readonly (Instrument & { name: InstrumentName })[] = all

const byName = new Map<string, Instrument>(catalogue.map((instrument) => [instrument.name, instrument]))

/** Returns the instrument of this name; undefined if the catalogue has none. */
export const instrumentOf = (name: string): Instrument | undefined => byName.get(name)

/** Returns whether a label may have this value. */
export function allows(values: Instrument['labels'][string] | undefined, value: string): boolean {
  if (values === undefined) return false
  return 'pattern' in values ? values.pattern.test(value) : values.includes(value)
}
