// Runs before the tests (npm's pretest): they need a RabbitMQ of their own to start and kill.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { canInstall, installOnDebian } from './debian.mjs'

const FOLDERS = [
  '/usr/lib/rabbitmq/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  ...(process.env.PATH ?? '').split(delimiter),
]

const isInstalled = () => FOLDERS.some((folder) => existsSync(join(folder, 'rabbitmq-server')))

if (!process.env.TEST_AMQP_URL && !isInstalled()) {
  if (canInstall()) {
    console.log(
      'The tests need RabbitMQ, which is not on this machine: installing rabbitmq-server with apt-get.',
    )
    installOnDebian(['rabbitmq-server'])
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
