import { parseArgs } from 'node:util'

export type QueueChoice = 'rabbitmq' | 'postgres'

export interface Arguments {
  port: number
  dataDir: string
  /** Address that the public port is opened on; undefined is this machine alone. */
  host: string | undefined
  /** Undefined: RabbitMQ where there is one, else Postgres. */
  queue: QueueChoice | undefined
}

export const USAGE = `npm start [-- --port 8080 --data .microbank --host 127.0.0.1 --queue rabbitmq|postgres]

  --port    public port; every host of the bank is served on it
  --data    folder for all that is kept: databases, queue, secrets, logs
  --host    address to listen on; 0.0.0.0 opens the bank to the network (default: this machine only)
  --queue   what carries the events (default: RabbitMQ where the machine has it, else Postgres)

Environment: AMQP_URL for a RabbitMQ of your own; <CONTEXT>_DATABASE_URL, and <CONTEXT>_DATABASE_OWNER_URL for
migrations, for a Postgres of your own (LEDGER_DATABASE_URL, ...); any setting of the ConfigMaps (LOG_LEVEL=debug).`

/** Reads the command line. @returns undefined where help was asked for. @throws an error whose message is for the person */
export function readArguments(args: string[]): Arguments | undefined {
  const { values } = parse(args)
  if (values.help) return undefined
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65535)
    throw new Error(`--port must be a number from 0 to 65535, not '${values.port}'`)
  const { queue } = values
  if (queue !== undefined && queue !== 'rabbitmq' && queue !== 'postgres')
    throw new Error(`--queue must be rabbitmq or postgres, not '${queue}'`)
  return { port, dataDir: values.data, host: values.host, queue }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '8080' },
        data: { type: 'string', default: '.microbank' },
        host: { type: 'string' },
        queue: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error })
  }
}
