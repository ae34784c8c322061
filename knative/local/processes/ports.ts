import { createServer } from 'node:net'

/**
 * The ports for functions. They are below the ports that kernels give to outgoing connections (Linux: from
 * 32768; macOS and IANA: from 49152). A connection could take a higher port before the function listens on
 * it. And while the runtime tries to connect to such a port, TCP's simultaneous open can connect the socket
 * to itself, which looks like a function that is ready.
 */
const FIRST = 20_000
const LAST = 32_000
/**
 * Ports are taken from blocks of this size. A program that listens on a block's first port has the block to
 * itself: otherwise two banks on one machine could choose the same port before either function listens on it.
 */
const BLOCK = 100

const given = new Set<number>()
const blocks: number[] = []
let nextBlock: Promise<void> | undefined

/**
 * Returns a port on 127.0.0.1 that nothing listens on and that no other caller here has. `giveBack` frees it.
 */
export async function takePort(): Promise<number> {
  for (;;) {
    for (const port of shuffled(blocks.flatMap((first) => range(first + 1, first + BLOCK)))) {
      if (given.has(port)) continue
      given.add(port)
      if (await isFree(port)) return port
      given.delete(port)
    }
    await (nextBlock ??= takeBlock().finally(() => (nextBlock = undefined)))
  }
}

export function giveBack(port: number): void {
  given.delete(port)
}

/** Takes one more block for as long as this program runs. */
async function takeBlock(): Promise<void> {
  for (const first of shuffled(range(FIRST, LAST, BLOCK)))
    if (await listens(first)) return void blocks.push(first)
  throw new Error(`expected a free port from ${FIRST} to ${LAST - 1}, found none`)
}

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => from + n * step)

function shuffled(ports: number[]): number[] {
  return ports
    .map((port) => [Math.random(), port] as const)
    .sort(([a], [b]) => a - b)
    .map(([, port]) => port)
}

/** Listens on a port until this program ends. Resolves with false if another program has it. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
