// npm run keep-contract: keeps the contract of this version in tests/released, as the last that was given
// out. From then on a test fails on what breaks its clients (tests/compatibility.test.ts).
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// A test names a folder of its own.
const [, , root = join(fileURLToPath(import.meta.url), '../../..')] = process.argv
const NAMES = ['openapi.json', 'asyncapi.json']

/** @param {string} path */
const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

const { version } = json('package.json')
const stale = NAMES.find((name) => json(`functions/web/${name}`).info.version !== version)
const kept = NAMES.filter((name) => existsSync(join(root, 'tests/released', name))).map(
  (name) => json(`tests/released/${name}`).info.version,
)

if (stale) fail(`functions/web/${stale} is not of version ${version}. Run \`npm run openapi\` first.`)
const newest = kept.find((one) => !isNewer(version, one))
if (newest)
  fail(
    `The contract of ${newest} is kept already, and package.json says ${version}. Raise the version there first.`,
  )

for (const name of NAMES) copyFileSync(join(root, 'functions/web', name), join(root, 'tests/released', name))
console.log(`tests/released has the contract of ${version} now. Commit it with the version.`)

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message)
  process.exit(1)
}

/**
 * Says whether a version is after another (semver.org, 11). Neither has more than three numbers.
 * @param {string} version
 * @param {string} other
 */
function isNewer(version, other) {
  const others = other.split('.').map(Number)
  const differences = version.split('.').map((number, i) => Number(number) - (others[i] ?? 0))
  return (differences.find((difference) => difference !== 0) ?? 0) > 0
}
