import { readFamily, type FamilyProcess } from '../family.ts'

/** A process that a soak may kill. */
export interface Victim {
  pid: number
  /** `Postgres`, `RabbitMQ`, or the name of a function. */
  name: string
}

/** Returns what of a bank may be killed at this moment: the server of Postgres (not one of its workers), the
 * node of RabbitMQ, and each function that runs.
 * @param functions names of all functions
 * @param family the bank's processes */
export function victimsIn(family: readonly FamilyProcess[], functions: ReadonlySet<string>): Victim[] {
  const postgres = new Set(family.filter(({ name }) => name === 'Postgres').map(({ pid }) => pid))
  return family
    .filter(({ name, parent }) =>
      name === 'Postgres' ? !postgres.has(parent) : name === 'RabbitMQ' || functions.has(name),
    )
    .map(({ pid, name }) => ({ pid, name }))
}

/** Kills one of the bank's processes with kill -9. Returns its name; undefined if there was none. Each
 * kind is as likely as any other: one of the functions, Postgres, RabbitMQ.
 * @param random numbers from 0 up to 1 */
export function killOne(functions: ReadonlySet<string>, random: () => number): string | undefined {
  const victims = victimsIn(readFamily(), functions)
  const kinds = [
    victims.filter(({ name }) => functions.has(name)),
    victims.filter(({ name }) => name === 'Postgres'),
    victims.filter(({ name }) => name === 'RabbitMQ'),
  ].filter((kind) => kind.length > 0)
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)]
  const victim = pick(pick(kinds) ?? [])
  if (!victim) return undefined
  try {
    process.kill(victim.pid, 'SIGKILL')
    return victim.name
  } catch {
    // It has ended by itself since it was found.
    return undefined
  }
}
