import type { Log } from '../../../monitoring/log.ts'

/** A server (Postgres, RabbitMQ) that the runtime has started. */
export interface Server {
  pid: number
  port: number
  exited: Promise<unknown>
  stop(): Promise<void>
}

export interface KeptAlive<S extends Server> {
  /**
   * The server as it was first started. Its URLs stay valid, because it always comes back on the same port.
   */
  readonly server: S
  /** The process that runs now; undefined while it is being started again. */
  readonly pid: number | undefined
  stop(): Promise<void>
  /** Ends the server without waiting. */
  kill(signal: NodeJS.Signals): void
}

const LONGEST_PAUSE_MS = 10_000

/**
 * Starts a server, and starts it again on the same port whenever it ends by itself, as a StatefulSet would.
 */
export async function keepAlive<S extends Server>(
  name: string,
  start: (port?: number) => Promise<S>,
  log: Log,
): Promise<KeptAlive<S>> {
  const server = await start()
  let current: Server = server
  let stopping = false
  let restarting: Promise<void> = Promise.resolve()

  let hasEnded = false

  const watch = (): void =>
    void current.exited.then(() => {
      hasEnded = true
      if (stopping) return
      log.error(`${name} ended by itself and is started again`, { pid: current.pid })
      restarting = restart()
    })

  async function restart(): Promise<void> {
    for (let pauseMs = 500; !stopping; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        current = await start(server.port)
        hasEnded = false
        return watch()
      } catch (error) {
        log.error(`${name} could not be started again`, { error: (error as Error).message })
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  watch()
  return {
    server,
    get pid() {
      return hasEnded ? undefined : current.pid
    },
    async stop() {
      stopping = true
      await restarting
      await current.stop()
    },
    kill(signal) {
      stopping = true
      // The pid of a process that has ended may be another's by now.
      if (hasEnded) return
      try {
        process.kill(current.pid, signal)
      } catch {
        // It has ended already.
      }
    },
  }
}
