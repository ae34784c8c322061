import { spawnSync } from 'node:child_process'

/** Returns the state of a process as ps writes it: R, S, or T if it is stopped; empty if there is none. */
export const processState = (pid: number): string =>
  spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .charAt(0)
