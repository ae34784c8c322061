import { randomUUID } from 'node:crypto'
import { dataschemaOf, sourceOf, type EventContract } from '../../../eventing/contracts/contract.ts'
import { binaryHeaders } from '../../../eventing/http-binding.ts'
import { signEvent } from '../../../eventing/signature.ts'
import { eventKey, type Answer, type TestFunction } from '../../../tests/support/host.ts'

/** Delivers an event to a consumer as the Broker does: the example of its contract, with changes. */
export function deliverTo<Data extends object>(
  consumer: TestFunction,
  contract: EventContract<Data>,
  change: Partial<Data> = {},
  id: string = randomUUID(),
): Promise<Answer> {
  const body = JSON.stringify({ ...contract.example, ...change })
  const attributes = {
    specversion: '1.0',
    id,
    type: contract.type,
    source: sourceOf(contract),
    dataschema: dataschemaOf(contract),
  }
  const signature = signEvent(attributes, body, eventKey(contract.context))
  const headers = { host: 'consumer.bank.svc.cluster.local', ...binaryHeaders({ ...attributes, signature }) }
  return consumer.request('POST', '/events', { body, headers })
}
