import { createServer } from 'node:net'

/**
 * Below the ports that kernels give to outgoing connections (Linux: from 32768, macOS and IANA: from 49152).
 * A port from above could be taken by some connection before the function listens on it; and while we knock
 * there, TCP's simultaneous open can connect the knocking socket to itself, which looks like a function that
 * is ready.
 */
const FIRST = 20_000
const LAST = 32_000

const given = new Set<number>()

/** A port on 127.0.0.1 that nothing listens on and that was not given to anybody else here; see
 * `giveBack`. */
export async function takePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
    given.delete(port)
  }
}

export function giveBack(port: number): void {
  given.delete(port)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
