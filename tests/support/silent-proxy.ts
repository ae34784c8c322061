import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A TCP proxy that can fall silent: it still accepts connections, but swallows what they carry. */
export interface SilentProxy {
  /** Returns `url` with this proxy in place of its server. */
  through(url: string): string
  /** From now on swallows what both sides send, on open and new connections. */
  silence(): void
  /** From now on swallows what the server sends, except chunks for which `lives` returns true. What the
   * client sends arrives. */
  swallowAnswers(lives?: (chunk: Buffer) => boolean): void
  /** Lets new connections through. Connections that fell silent stay silent. */
  heal(): void
  /** Number of connections opened so far. */
  readonly opened: number
  /** Number of connections that the client has not ended. */
  readonly open: number
  stop(): Promise<void>
}

type Mode = 'open' | 'silent' | 'no answers'

const HEARTBEAT = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce])

/** Says whether a chunk is heartbeats of AMQP, and nothing else. Several may have come together. */
export const isHeartbeat = (chunk: Buffer): boolean =>
  chunk.equals(Buffer.alloc(Math.ceil(chunk.length / HEARTBEAT.length) * HEARTBEAT.length, HEARTBEAT))

/** Starts a proxy to the server of `target`, a URL with host and port. */
export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target)
  const connections = new Set<{ client: Socket; upstream: Socket; mode: Mode }>()
  let mode: Mode = 'open'
  let passes: (chunk: Buffer) => boolean = () => false
  let opened = 0

  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    opened++
    const upstream = net.connect({ host: hostname, port: Number(port), noDelay: true })
    const connection = { client, upstream, mode }
    connections.add(connection)
    client.setNoDelay(true)
    client.on('data', (chunk) => connection.mode !== 'silent' && upstream.write(chunk))
    upstream.on('data', (chunk: Buffer) => {
      const arrives = connection.mode === 'open' || (connection.mode === 'no answers' && passes(chunk))
      if (arrives) client.write(chunk)
    })
    client.on('end', () => {
      if (connection.mode === 'silent') client.destroy()
      else upstream.end()
    })
    upstream.on('close', () => connection.mode === 'open' && client.destroy())
    client.on('close', () => {
      connections.delete(connection)
      upstream.destroy()
    })
    for (const socket of [client, upstream]) socket.on('error', () => undefined) // 'close' follows.
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const become = (wanted: Mode): void => {
    mode = wanted
    for (const connection of connections) if (connection.mode === 'open') connection.mode = wanted
  }
  return {
    through(url) {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String((server.address() as AddressInfo).port)
      return changed.href
    },
    silence: () => become('silent'),
    swallowAnswers(lives = () => false) {
      passes = lives
      become('no answers')
    },
    heal: () => void (mode = 'open'),
    get opened() {
      return opened
    },
    get open() {
      return connections.size
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const { client, upstream } of connections) {
        client.destroy()
        upstream.destroy()
      }
      await closed
    },
  }
}
