import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { remove } from './data-folder/own-files.ts'

interface RunningBank {
  pid: number
  url: string
  port: number
  internalPort: number
}

/**
 * Writes `runtime.json`, by which `npm run ps` and a second start find this bank.
 * @returns a function that removes the file
 */
export function announce(dataDir: string, { pid, url, port, internalPort }: RunningBank): () => void {
  const file = join(dataDir, 'runtime.json')
  writeFileSync(`${file}.new`, `${JSON.stringify({ pid, url, port, internalPort })}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return () => remove(file)
}
