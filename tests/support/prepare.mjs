// Runs before the tests (npm's pretest): they need a RabbitMQ of their own to start and kill.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const FOLDERS = [
  '/usr/lib/rabbitmq/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  ...(process.env.PATH ?? '').split(delimiter),
]
const POLICY = '/usr/sbin/policy-rc.d'

const isInstalled = () => FOLDERS.some((folder) => existsSync(join(folder, 'rabbitmq-server')))

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env })
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed`, { cause: error })
}

function installOnDebian() {
  // Debian starts a service as soon as it is installed, unless this file, which it asks, says no (101).
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run('apt-get', 'update', '-qq')
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'rabbitmq-server')
  } finally {
    if (ours) rmSync(POLICY)
  }
  // Nor should it start when the machine does.
  if (existsSync('/run/systemd/system')) run('systemctl', 'disable', 'rabbitmq-server')
}

if (!process.env.TEST_AMQP_URL && !isInstalled()) {
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    console.log(
      'The tests need RabbitMQ, which is not on this machine: installing rabbitmq-server with apt-get.',
    )
    installOnDebian()
  } else {
    console.error(
      'The tests need RabbitMQ, which is not on this machine. Install it and run them again:\n' +
        '  Debian, Ubuntu:  sudo apt-get install rabbitmq-server\n' +
        '  macOS:           brew install rabbitmq\n' +
        'It need not run as a service: the tests start a node of their own.',
    )
    process.exit(1)
  }
}
