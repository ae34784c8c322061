import { parseArgs } from 'node:util'

export type QueueChoice = 'rabbitmq' | 'postgres'

export interface Arguments {
  port: number
  /** Of the Kubernetes API; undefined is 8081, or another one where that is taken. */
  kubernetesPort: number | undefined
  dataDir: string
  /** Address that the public port is opened on; undefined is this machine alone. */
  host: string | undefined
  /** Undefined: RabbitMQ where there is one, else Postgres. */
  queue: QueueChoice | undefined
}

export const USAGE = `npm start [-- --port 8080 --data .microbank --host 127.0.0.1 --queue rabbitmq|postgres --kubernetes-port 8081]

  --port    public port; every host of the bank is served on it
  --data    folder for all that is kept: databases, queue, secrets, logs
  --host    address to listen on; 0.0.0.0 opens the bank to the network (default: this machine only)
  --kubernetes-port
            port of the read-only Kubernetes API for kubectl and kn, on this machine only (default: 8081, or another
            one where that is taken; <data>/kubeconfig says which)
  --queue   what carries the events (default: RabbitMQ where the machine has it, else Postgres)

Environment: AMQP_URL for a RabbitMQ of your own; <CONTEXT>_DATABASE_URL, and <CONTEXT>_DATABASE_OWNER_URL for
migrations, for a Postgres of your own (LEDGER_DATABASE_URL, ...); any setting of the ConfigMaps (LOG_LEVEL=debug).`

/** Reads the command line. @returns undefined where help was asked for. @throws an error whose message is for
 * the person */
export function readArguments(args: string[]): Arguments | undefined {
  const { values } = parse(args)
  if (values.help) return undefined
  const port = portOf('--port', values.port)
  const given = values['kubernetes-port']
  const kubernetesPort = given === undefined ? undefined : portOf('--kubernetes-port', given)
  const { queue } = values
  if (queue !== undefined && queue !== 'rabbitmq' && queue !== 'postgres')
    throw new Error(`--queue must be rabbitmq or postgres, not '${queue}'`)
  return { port, kubernetesPort, dataDir: values.data, host: values.host, queue }
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65535)
    throw new Error(`${option} must be a number from 0 to 65535, not '${text}'`)
  return port
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
        'kubernetes-port': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error })
  }
}
