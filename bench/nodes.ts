import { execFileSync } from 'node:child_process'

/** Returns the name of a Node by its path: `Node 24`. */
export const nameOfNode = (path: string): string =>
  `Node ${parseInt(execFileSync(path, ['--version'], { encoding: 'utf8' }).slice(1))}`
