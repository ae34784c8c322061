import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  path: string
  /** Uses up all room that is left. */
  fill(): void
  /** Frees the room again. */
  free(): void
  remove(): void
}

/** Makes a small file system in memory. Returns undefined if this user may not make one: it takes root, or
 * sudo without a password, on Linux. */
export function smallDisk(megabytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux') return undefined
  const path = mkdtempSync(join(tmpdir(), 'microbank-disk-'))
  const { uid, gid } = { uid: process.getuid!(), gid: process.getgid!() }
  const options = `size=${megabytes}m,mode=755,uid=${uid},gid=${gid}`
  if (!asRoot('mount', '-t', 'tmpfs', '-o', options, 'microbank-test', path)) {
    rmdirSync(path)
    return undefined
  }
  const filling = join(path, 'filling')
  return {
    path,
    fill() {
      const file = openSync(filling, 'w')
      // It ends in small pieces, so that not a page is left.
      for (const bytes of [1024 * 1024, 4096]) while (written(file, bytes));
      closeSync(file)
    },
    free: () => rmSync(filling),
    remove() {
      asRoot('umount', '--lazy', path)
      rmdirSync(path)
    },
  }
}

function asRoot(...command: string[]): boolean {
  const whole = process.getuid!() === 0 ? command : ['sudo', '-n', ...command]
  return spawnSync(whole[0]!, whole.slice(1)).status === 0
}

function written(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) > 0
  } catch {
    return false
  }
}
