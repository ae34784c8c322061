import { accessSync, constants, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** Where programs are that are on no PATH: Debian's of the superuser, and those of Homebrew. */
const FOLDERS = [
  ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
  ...['/usr/sbin', '/usr/share/grafana/bin', '/opt/homebrew/bin', '/usr/local/bin'],
]

/**
 * Returns the path of the first of these programs that this machine has; undefined if it has none.
 * @param {...string} names
 * @returns {string | undefined}
 */
export const findProgram = (...names) =>
  names.flatMap((name) => FOLDERS.map((folder) => join(folder, name))).find(isProgram)

function isProgram(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Resolves with the port, or the next above it that is free on this machine.
 * @param {number} wanted
 * @returns {Promise<number>}
 */
export async function freePort(wanted) {
  for (let port = wanted; port < wanted + 100; port++) if (await isFree(port)) return port
  throw new Error(`No port from ${wanted} to ${wanted + 99} is free.`)
}

/** @returns {Promise<boolean>} */
const isFree = (/** @type {number} */ port) =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/**
 * A program that this one has started.
 * @typedef {object} Running
 * @property {string} name
 * @property {Promise<string>} ended resolves when it has ended, with the end of what it said
 * @property {() => void} stop
 */

/** Becomes the program. What waits beside it ends it when this process does, even if that is killed. */
const WITH_ME = 'exec 3<&0 </dev/null; (read -r _ <&3; kill $$) >/dev/null 2>&1 & exec "$@" 3<&-'

/**
 * Starts a program, which ends with this one. What it says is kept, and shown if it ends by itself.
 * @param {string} name
 * @param {string} path
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Running}
 */
export function startProgram(name, path, args, env = {}) {
  const child = spawn('/bin/sh', ['-c', WITH_ME, 'sh', path, ...args], { env: { ...process.env, ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (/** @type {Buffer} */ chunk) => (said = (said + chunk.toString()).slice(-2_000)))
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', () => resolve(said.trim()))
  })
  return { name, ended, stop: () => void child.kill('SIGTERM') }
}
