import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findRabbitmq } from '../knative/local/servers/rabbitmq.ts'
import { findChromium } from '../tests/support/chromium.mjs'
import { canInstall, installOnDebian } from '../tests/support/debian.mjs'

export type Program = 'chromium' | 'pgbench' | 'rabbitmq-server' | 'wrk'

const PACKAGES: Record<Program, { debian: string; brew: string }> = {
  chromium: { debian: 'chromium', brew: 'chromium' },
  // On Debian pgbench is in the package of the server.
  pgbench: { debian: 'postgresql', brew: 'postgresql' },
  wrk: { debian: 'wrk', brew: 'wrk' },
  'rabbitmq-server': { debian: 'rabbitmq-server', brew: 'rabbitmq' },
}

/** Makes sure that the programs are on the machine. As root on Debian or Ubuntu it installs what is missing
 * and says so; elsewhere it throws an error that says what to install. */
export function provide(programs: readonly Program[], say: (sentence: string) => void): void {
  const missing = [...new Set(programs)].filter((program) => !isThere(program))
  if (missing.length === 0) return
  const packages = (system: 'debian' | 'brew') =>
    missing.map((program) => PACKAGES[program][system]).join(' ')
  if (!canInstall())
    throw new Error(
      `the bench needs ${missing.join(' and ')}, not found on this machine. Install and run the bench again:\n` +
        `  Debian, Ubuntu:  sudo apt-get install ${packages('debian')}\n` +
        `  macOS:           brew install ${packages('brew')}\n` +
        'They need not run as services: the bench starts servers of its own.',
    )
  say(`the bench needs ${missing.join(' and ')}: installing ${packages('debian')} with apt-get`)
  installOnDebian(packages('debian').split(' '))
}

function isThere(program: Program): boolean {
  if (program === 'chromium') return findChromium() !== undefined
  if (program === 'rabbitmq-server') return findRabbitmq() !== undefined
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}
