import { startRuntime } from '../../knative/local/runtime.ts'
import { createLog } from '../../monitoring/log.ts'

/** Runs the local runtime with the Services of ROOT, whose bundles are in BUNDLES, and without databases and
 * Broker: what remains is its gateway. */
const { PORT, HOST, ROOT, BUNDLES, DATA } = process.env

void startRuntime({
  root: ROOT!,
  bundles: BUNDLES!,
  dataDir: DATA!,
  port: Number(PORT),
  hosts: [HOST!],
  // Without a Broker nobody connects there. It keeps the runtime from starting a RabbitMQ of its own.
  env: { ...process.env, AMQP_URL: 'amqp://127.0.0.1:1' },
  log: createLog({ service: 'gateway' }, 'warn'),
})
