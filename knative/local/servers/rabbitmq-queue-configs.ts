import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readText, remove, writeDurably } from '../data-folder/own-files.ts'

/**
 * The configuration of each quorum queue, a file of a kilobyte in the node's folder. Without it the node
 * can't start the queue, although all its messages are there, and every connection that consumes from it
 * breaks.
 *
 * RabbitMQ with ra before 2.6.2 (June 2023) empties the file and writes it again whenever the queue starts,
 * also when its log has failed on a full disk (`ra_log:write_config`). So we keep a copy of each.
 */

/** Copies the configurations that are new or have changed, and removes the copies of queues that are gone. */
export function keepQueueConfigs(quorumFolder: string, copies: string): void {
  const queues = foldersIn(quorumFolder)
  mkdirSync(copies, { recursive: true, mode: 0o700 })
  for (const queue of queues) {
    const config = configOf(quorumFolder, queue)
    const copy = join(copies, queue)
    if (modifiedAt(config) <= modifiedAt(copy)) continue
    const text = readText(config)
    if (isWhole(text)) writeDurably(copy, text)
  }
  for (const copy of readdirSync(copies)) if (!queues.includes(copy)) remove(join(copies, copy))
}

/** Writes the configurations that were emptied or cut short anew. Returns their number. */
export function restoreQueueConfigs(quorumFolder: string, copies: string): number {
  let restored = 0
  for (const queue of foldersIn(quorumFolder)) {
    const config = configOf(quorumFolder, queue)
    const copy = readText(join(copies, queue))
    if (!isWhole(copy) || isWhole(readText(config))) continue
    writeDurably(config, copy)
    restored++
  }
  return restored
}

const configOf = (quorumFolder: string, queue: string): string => join(quorumFolder, queue, 'config')

/** Whether it is the whole Erlang term: `#{ ... }.` */
const isWhole = (text: string | undefined): text is string => /^#\{[^]*\}\.$/.test(text ?? '')

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    // A node that has never started has none. Any other error must not look like that: all copies would go.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const modifiedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
