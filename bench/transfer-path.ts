import { takePort } from '../knative/local/processes/ports.ts'
import { ingressUrl, startBroker, startFunction } from './bank.ts'
import type { Bench } from './bench.ts'
import { openAccounts, type Customer } from './customers.ts'
import type { BenchDatabases } from './databases.ts'
import type { ServerProcess } from './processes.ts'

/** All that is between a transfer and its notification, each in a process of its own. */
export interface TransferPath {
  databases: BenchDatabases
  transfer: ServerProcess
  customers: Customer[]
}

/** Starts the functions `transfer` and `notify` and the Broker over RabbitMQ, and opens accounts. */
export async function startTransferPath(bench: Bench, databases: BenchDatabases): Promise<TransferPath> {
  // The function that the Broker delivers to also publishes to the Broker, so one of the two must know the
  // other's port beforehand.
  const port = await takePort()
  const notify = await startFunction(bench, databases, { name: 'notify', brokerUrl: ingressUrl(port) })
  const broker = await startBroker(bench, databases, { port, services: { notify: notify.url } })
  if (!broker.amqpUrl) throw new Error('expected the Broker to run over RabbitMQ')
  const transfer = await startFunction(bench, databases, { name: 'transfer', brokerUrl: broker.url })
  return { databases, transfer, customers: await openAccounts(bench, databases) }
}
