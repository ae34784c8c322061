// Installs what the tests and the bench need, on Debian and Ubuntu as root.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

const POLICY = '/usr/sbin/policy-rc.d'

/** Returns whether installOnDebian() can work here. */
export const canInstall = () => existsSync('/etc/debian_version') && process.getuid?.() === 0

/** Installs packages with apt-get without starting their services, now or at boot. Throws if that fails. It
 * assumes that a service is named like its package.
 * @param {string[]} packages */
export function installOnDebian(packages) {
  // Debian starts a service as soon as it is installed, unless this file answers 101 (no).
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run('apt-get', 'update', '-qq')
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages)
  } finally {
    if (isOurs) rmSync(POLICY)
  }
  if (!existsSync('/run/systemd/system')) return
  for (const name of packages)
    if (spawnSync('systemctl', ['cat', name]).status === 0) run('systemctl', 'disable', name)
}

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env })
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed`, { cause: error })
}
