import type { Operation } from '../operation.ts'
import { serve, type Parts } from './serve.ts'

/** Runs one function as a process, as Knative's container contract requires: it listens on PORT, stops on
 * SIGTERM within its grace period, and exits with 0. The build adds a call of this to the end of every
 * bundle. */
export function main(operation: Operation, parts: Parts): void {
  serve(operation, parts).then(
    ({ stop, tools: { log } }) => {
      let stopping = false
      const stopOnce = (): void => {
        if (stopping) return
        stopping = true
        stop().then(
          () => process.exit(0),
          (error: Error) => {
            log.error('stop failed', { error: error.message, stack: error.stack })
            process.exit(1)
          },
        )
      }
      process.on('SIGTERM', stopOnce)
      process.on('SIGINT', stopOnce)
    },
    (error: Error) => {
      process.stderr.write(`${operation.name} cannot start: ${error.message}\n`)
      process.exit(78)
    },
  )
}
