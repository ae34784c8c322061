import http from 'node:http'
import { linkSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Thrown if another monitor watches the bank of the data folder. */
export class AlreadyWatched extends Error {}

/**
 * What a monitor says of itself: in the file by which it claims the data folder, and to who asks its passage.
 * @typedef {object} Claim
 * @property {number} port of the passage
 * @property {number} pid
 * @property {string} folder the identity of the data folder that it watches
 */

/**
 * An identity that a folder keeps when it is renamed, and that no copy of it has.
 * @param {string} path
 */
export function folderIdentity(path) {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

/**
 * Claims a data folder for this monitor, so that no other one shares its files. The claim names the port of
 * the passage, and only a monitor that runs answers there for its folder. So nothing that a killed monitor
 * left is in the way, whatever process has its pid or its port by now; nor is what came with a copy.
 *
 * Claims are numbered, and the highest one counts. Nobody takes it away, not even its own monitor at the end.
 * So numbers only grow, and of all who found that nobody holds a claim, one gets the next number.
 * @param {string} folder where the monitor keeps its files; it is there
 * @param {Claim} mine
 * @returns {Promise<() => void>} what gives the folder up
 * @throws AlreadyWatched with a sentence that says where the other one is
 */
export async function claimFolder(folder, mine) {
  const draft = join(folder, `claim.${mine.pid}`)
  try {
    for (;;) {
      const highest = highestClaim(folder)
      if (highest > 0) await refuseIfWatched(readText(claimFile(folder, highest)) ?? '', mine)
      // A killed monitor with this pid may have left it, as a second name of a claim.
      rmSync(draft, { recursive: true, force: true })
      writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 })
      const own = highest + 1
      if (!isLinked(draft, claimFile(folder, own))) continue
      // The number was free again because somebody holds a higher one, and has removed those below it.
      if (highestClaim(folder) > own) rmSync(claimFile(folder, own), { force: true })
      else return hold(folder, own, mine)
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

const CLAIM = /^claim-([1-9]\d{0,14})[.]json$/

const claimFile = (/** @type {string} */ folder, /** @type {number} */ number) =>
  join(folder, `claim-${number}.json`)

const claimNumbers = (/** @type {string} */ folder) =>
  readdirSync(folder).flatMap((name) => (CLAIM.exec(name) ?? []).slice(1).map(Number))

/**
 * The number of the claim that counts; 0 if there is none.
 * @param {string} folder
 */
const highestClaim = (folder) => Math.max(0, ...claimNumbers(folder))

/**
 * Removes the claims below this one. Returns what empties it: then the next monitor need not ask its port.
 * @param {string} folder
 * @param {number} own
 * @param {Claim} mine
 */
function hold(folder, own, mine) {
  const file = claimFile(folder, own)
  for (const number of claimNumbers(folder))
    if (number < own) rmSync(claimFile(folder, number), { recursive: true, force: true })
  return () => {
    if (readText(file) === JSON.stringify(mine)) truncateSync(file)
  }
}

/**
 * @param {string} held the text of a claim
 * @param {Claim} mine
 */
async function refuseIfWatched(held, mine) {
  const holder = parsed(held)
  if (holder?.folder !== mine.folder || !isPort(holder.port)) return
  // Whoever had this port is gone. To ask it would be to ask this monitor itself.
  if (holder.port === mine.port) return
  const answer = await ask(Number(holder.port))
  const isSilent = answer === undefined && isRunning(holder.pid)
  if (!isSilent && parsed(answer)?.folder !== mine.folder) return
  const prometheus = parsed(answer)?.prometheus
  throw new AlreadyWatched(
    `npm run monitor watches this bank already: process ${holder.pid}, ` +
      `${prometheus ? `with Prometheus at ${prometheus}` : 'whose Prometheus does not run yet'}. ` +
      `To start another, stop it first: kill ${holder.pid}`,
  )
}

const isPort = (/** @type {unknown} */ port) =>
  Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536

const ANSWER_MS_MAX = 10_000

/**
 * Resolves with what a monitor at this port says of itself; with '' if none is there, and with undefined if
 * whoever is there does not answer.
 * @param {number} port
 * @returns {Promise<string | undefined>}
 */
const ask = (port) =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/monitor', agent: false })
    const late = setTimeout(() => resolve(undefined), ANSWER_MS_MAX)
    const end = (/** @type {string} */ text) => {
      clearTimeout(late)
      resolve(text)
      request.destroy()
    }
    request.on('error', () => end(''))
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      // A monitor says little.
      response.on('data', (chunk) => (text += chunk).length > 10_000 && end(''))
      response.on('error', () => end(''))
      response.on('end', () => end(text))
    })
  })

/**
 * Gives a file a second name, at which its whole content appears at once. Returns false if the name is taken.
 * @param {string} from
 * @param {string} to
 */
function isLinked(from, to) {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/**
 * The text of a file; undefined if there is none. What can't be read, such as a folder, has no text.
 * @param {string} file
 */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT' ? undefined : ''
  }
}

/**
 * @param {string | undefined} text
 * @returns {Partial<Claim & { prometheus: string }> | undefined} undefined if the text is no object of JSON
 */
function parsed(text) {
  try {
    const value = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function isRunning(/** @type {number | undefined} */ pid) {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
