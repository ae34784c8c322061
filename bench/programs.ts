import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findRabbitmq } from '../knative/local/servers/rabbitmq.ts'
import { canInstall, installOnDebian } from '../tests/support/debian.mjs'

export type Program = 'pgbench' | 'rabbitmq-server' | 'wrk'

const PACKAGES: Record<Program, { debian: string; brew: string }> = {
  // Debian has pgbench in the package of the server.
  pgbench: { debian: 'postgresql', brew: 'postgresql' },
  wrk: { debian: 'wrk', brew: 'wrk' },
  'rabbitmq-server': { debian: 'rabbitmq-server', brew: 'rabbitmq' },
}

/** Sees to it that programs are on the machine: as root on Debian or Ubuntu it installs what is missing and
 * says so, elsewhere it throws with what to install. */
export function provide(programs: readonly Program[], say: (sentence: string) => void): void {
  const missing = [...new Set(programs)].filter((program) => !isThere(program))
  if (missing.length === 0) return
  const packages = (system: 'debian' | 'brew') =>
    missing.map((program) => PACKAGES[program][system]).join(' ')
  if (!canInstall())
    throw new Error(
      `the bench needs ${missing.join(' and ')}, not on this machine. Install and run it again:\n` +
        `  Debian, Ubuntu:  sudo apt-get install ${packages('debian')}\n` +
        `  macOS:           brew install ${packages('brew')}\n` +
        'Neither need run as a service: the bench starts servers of its own.',
    )
  say(`the bench needs ${missing.join(' and ')}: installing ${packages('debian')} with apt-get`)
  installOnDebian(packages('debian').split(' '))
}

function isThere(program: Program): boolean {
  if (program === 'rabbitmq-server') return findRabbitmq() !== undefined
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}
