import { randomUUID } from 'node:crypto'
import { dataschemaOf, sourceOf, type EventContract } from '../../eventing/contracts/contract.ts'
import { binaryHeaders } from '../../eventing/http-binding.ts'
import { signEvent } from '../../eventing/signature.ts'
import type { Database } from '../../functions/host/database/database.ts'
import { eventKey, type Answer, type TestFunction } from './host.ts'

interface Sent {
  /** The event's id; if omitted, a new one. */
  id?: string | undefined
  /** The context whose key signs it; if omitted, that of the contract. */
  signedBy?: string | undefined
  time?: string
}

/** Delivers an event to a consumer as the Broker does. */
export function deliverEvent(
  to: TestFunction,
  contract: EventContract,
  data: object,
  { id = randomUUID(), signedBy = contract.context, time }: Sent = {},
): Promise<Answer> {
  const attributes = {
    specversion: '1.0',
    id,
    type: contract.type,
    source: sourceOf(contract),
    dataschema: dataschemaOf(contract),
    ...(time !== undefined && { time }),
  }
  return send(to, attributes, JSON.stringify(data), signedBy)
}

/** The same with the example of the contract, and with changes in its data. */
export const deliverExample = <Data extends object>(
  to: TestFunction,
  contract: EventContract<Data>,
  change: Partial<Data> = {},
  sent: Sent = {},
): Promise<Answer> => deliverEvent(to, contract as EventContract, { ...contract.example, ...change }, sent)

/** Delivers the last event of a type about a thing, as an outbox has it. */
export async function deliverStored(
  db: Pick<Database, 'query'>,
  to: TestFunction,
  { type, context }: Pick<EventContract, 'type' | 'context'>,
  subject: string,
): Promise<Answer> {
  const [row] = await db.query<{ id: string; source: string; dataschema: string; data: string; at: string }>({
    text: `select id, source, dataschema, data::text,
        to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
      from outbox where type = $1 and subject = $2 order by time desc, id desc limit 1`,
    values: [type, subject],
  })
  const { data, at, ...rest } = row!
  return send(to, { specversion: '1.0', type, subject, time: at, ...rest }, data, context)
}

/** Headers of the event that a PingSource sends to the function that has its name. */
export const tickHeaders = (name: string): Record<string, string> => ({
  host: `${name}.bank.svc.cluster.local`,
  'ce-specversion': '1.0',
  'ce-id': randomUUID(),
  'ce-type': 'dev.knative.sources.ping',
  'ce-source': `/apis/v1/namespaces/bank/pingsources/${name}`,
})

/** Does what the PingSource of a function does when its time has come. */
export const deliverTick = (to: Pick<TestFunction, 'request'>, name: string): Promise<Answer> =>
  to.request('POST', '/events', { headers: tickHeaders(name), body: {} })

function send(
  to: TestFunction,
  attributes: Parameters<typeof signEvent>[0],
  body: string,
  signedBy: string,
): Promise<Answer> {
  const signature = signEvent(attributes, body, eventKey(signedBy))
  const headers = { host: 'consumer.bank.svc.cluster.local', ...binaryHeaders({ ...attributes, signature }) }
  return to.request('POST', '/events', { body, headers })
}
