import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { checkAttributes, hasPlainFormats } from '../../eventing/attributes.ts'
import { dataschemaOf } from '../../eventing/contracts/contract.ts'
import { eventFromHttp, toCloudEvent } from '../../eventing/http-binding.ts'
import { answer } from './answer.ts'
import { readBytes } from './body.ts'
import type { Exchange } from './exchange.ts'
import type { Consumer } from './operation.ts'
import { ProblemError, problems } from './problems.ts'
import type { Services } from './services.ts'
import { eventKey, type Validators } from './validation.ts'

const EVENT_BYTES_MAX = 2 * 1024 * 1024

/** Whether a request names a cluster-local host, which the outer gateway routes for nobody. */
export function isClusterLocal({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '')
  return /\.svc(\.cluster\.local)?$/.test(host)
}

/** Only the platform may deliver events; everybody else finds nothing here. */
function checkSender(request: IncomingMessage): void {
  if (isClusterLocal(request)) return
  throw new ProblemError(problems.notFound, 'There is nothing at this address.')
}

/** One delivery of the Broker: 204 with an empty body once its effect is committed (a body could be taken for
 * a reply event). Everything else throws and becomes 5xx, which the Broker tries again and at last keeps as a
 * dead letter; a 4xx it would count as delivered and forget. */
export async function receiveEvent(
  { request, response, traceparent }: Exchange,
  consumer: Consumer,
  { services, validators }: { services: Services; validators: Validators },
): Promise<void> {
  checkSender(request)
  try {
    const bytes = await readBytes(request, EVENT_BYTES_MAX)
    const event = await parseEvent(request.headers, bytes)
    if (consumer.contracts !== 'any') checkContract(event, consumer.contracts, validators)
    await consumer.receive(event, services, traceparent)
  } catch (error) {
    if (error instanceof ProblemError && error.reply.status < 500) {
      throw new Error(`event refused: ${error.message}`, { cause: error })
    }
    throw error
  }
  answer(response, { status: 204 })
}

/** The event of a request in binary or structured mode. */
async function parseEvent(headers: IncomingHttpHeaders, bytes: Buffer): Promise<CloudEventV1<unknown>> {
  const message = eventFromHttp(headers, bytes)
  checkAttributes(message.attributes)
  const event = toCloudEvent(message)
  if (!hasPlainFormats(message.attributes)) {
    // Its constructor checks the event by the schema of the specification.
    const { CloudEvent } = await import('cloudevents')
    new CloudEvent(event)
  }
  return event
}

function checkContract(
  event: CloudEventV1<unknown>,
  contracts: Exclude<Consumer['contracts'], 'any'>,
  validators: Validators,
): void {
  const contract = contracts.find((candidate) => candidate.type === event.type)
  if (!contract) throw new Error(`no contract here for events of type ${event.type}`)
  if (event.dataschema !== undefined && event.dataschema !== dataschemaOf(contract)) {
    throw new Error(`expected ${dataschemaOf(contract)}, not ${event.dataschema}`)
  }
  const validator = validators[eventKey(contract.type)]?.body
  if (!validator || validator(event.data)) return
  const [fault] = validator.errors ?? []
  throw new Error(
    `data of ${event.type} ${event.id} breaks its contract: ${fault?.instancePath} ${fault?.message}`,
  )
}
