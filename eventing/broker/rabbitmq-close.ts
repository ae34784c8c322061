import type { ChannelModel } from 'amqplib'
import type { Socket } from 'node:net'
import { within } from './queue.ts'

const CLOSE_MS = 2_000

/** Makes `connection.close()` end, whatever RabbitMQ does, and never reject: amqplib (2.3) waits for the
 * answer to it for ever, even where the connection has broken in the meantime, and its recovery waits with
 * it. A connection that is not closed in time is cut, and says 'close' like any other. */
export function boundClose(connection: ChannelModel, closeMs = CLOSE_MS): void {
  const close = connection.close.bind(connection)
  let closing: Promise<void> | undefined
  connection.close = () =>
    (closing ??= within(closeMs, 'the end of the connection', close()).catch((error: Error) => {
      const { stream } = connection.connection as unknown as { stream: Socket }
      stream.destroy(error)
    }))
}
