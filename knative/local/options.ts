import { parseArgs } from 'node:util'

export type QueueChoice = 'rabbitmq' | 'postgres'

export interface Arguments {
  port: number
  /** The port of the Kubernetes API. Undefined is 8081 or, if that is taken, another one. */
  kubernetesPort: number | undefined
  dataDir: string
  /** The address of the public port. Undefined is this machine only. */
  host: string | undefined
  /** Undefined is RabbitMQ if the machine has it, otherwise Postgres. */
  queue: QueueChoice | undefined
}

export const USAGE = `npm start -- [options]

  --port 8080         public port; every host of the bank is served on it
  --data .microbank   folder for everything that is kept: databases, queue, secrets, logs
  --host 127.0.0.1    address to listen on; 0.0.0.0 opens the bank to the network
  --queue rabbitmq    what carries the events: rabbitmq, or postgres (default: RabbitMQ if this machine has it)
  --kubernetes-port 8081
                      port of the read-only Kubernetes API for kubectl and kn, on this machine only (default: 8081,
                      or a free one if that is taken; <data>/kubeconfig says which)
  --help              shows this

Environment:
  AMQP_URL                        a RabbitMQ of your own
  <CONTEXT>_DATABASE_URL          a Postgres of your own (LEDGER_DATABASE_URL, ...)
  <CONTEXT>_DATABASE_OWNER_URL    the same for the migrations, as the owner of the tables
  <CONTEXT>_DATABASE_METER_URL    the same for monitoring, as a role that may see all sessions (pg_read_all_stats)
  SMTP_URL, MESSAGE_CHANNELS      a mail server of your own (docs/notifications.md); otherwise emails stay here
  LOG_LEVEL=debug, ...            any setting of knative/config.yaml`

/**
 * Reads the command line.
 * @returns undefined if the person asked for help
 * @throws an error whose message is for the person
 */
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
    const { code, message } = error as NodeJS.ErrnoException
    // In `npm start --port 8090`, npm takes --port for an option of its own and passes on only 8090.
    const hint = code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL' ? '. Put options after `--`.' : ''
    throw new Error(`${message}${hint}\n\n${USAGE}`, { cause: error })
  }
}
