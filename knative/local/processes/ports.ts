import { createServer } from 'node:net'

/**
 * The ports for functions. They are below the ports that kernels give to outgoing connections (Linux: from
 * 32768; macOS and IANA: from 49152). A connection could take a higher port before the function listens on
 * it. And while the runtime tries to connect to such a port, TCP's simultaneous open can connect the socket
 * to itself, which looks like a function that is ready.
 */
const FIRST = 20_000
const LAST = 32_000

const given = new Set<number>()

/**
 * Returns a port on 127.0.0.1 that nothing listens on and that no other caller here has. `giveBack` frees it.
 */
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
