import type { IncomingMessage } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { checkAttributes, hasPlainFormats } from '../../../eventing/attributes.ts'
import { dataschemaOf } from '../../../eventing/contracts/contract.ts'
import { eventFromHttp, toCloudEvent } from '../../../eventing/http-binding.ts'
import { InvalidEventError, type EventMessage } from '../../../eventing/message.ts'
import { isSigned } from '../../../eventing/signature.ts'
import { answer } from './answer.ts'
import { readBytes } from './body.ts'
import { isClusterLocal } from './cluster-local.ts'
import { eventKeySetting } from '../config.ts'
import type { Exchange } from './exchange.ts'
import type { Consumer } from '../operation.ts'
import { ProblemError, problems } from '../problems.ts'
import type { Tools } from '../tools.ts'
import { eventKey, messageOf, type Validators } from './validation.ts'

const EVENT_BYTES_MAX = 2 * 1024 * 1024

/** Only the platform may deliver events; everybody else finds nothing here. */
function checkSender(request: IncomingMessage): void {
  if (isClusterLocal(request)) return
  throw new ProblemError(problems.notFound, 'There is nothing at this address.')
}

/** Thrown if an event can never be processed, however often it comes. Its message is the reason that the dead
 * letter shows. */
export class EventRefusedError extends Error {}

/** Handles one delivery from the Broker. Answers 204 without a body once the effect is committed (a body
 * could be taken for a reply event). Everything else throws and becomes 5xx: the Broker tries again, and
 * at last keeps the event as a dead letter. After a 4xx it would count the event as delivered and forget
 * it.
 *
 * Knative's own Broker keeps only the answer's status, so the reason is logged with the event's id. */
export async function receiveEvent(
  exchange: Exchange,
  consumer: Consumer,
  { tools, validators, state }: { tools: Tools; validators: Validators; state: () => unknown },
): Promise<void> {
  const { request, response } = exchange
  checkSender(request)
  let message: EventMessage | undefined
  try {
    const bytes = await readBytes(request, EVENT_BYTES_MAX)
    message = eventFromHttp(request.headers, bytes)
    const event = await parseEvent(message)
    if (consumer.contracts !== 'any') checkContract(event, message, consumer.contracts, tools, validators)
    await consumer.receive(event, tools, state(), { traceparent: exchange.traceparent, message })
  } catch (error) {
    const { id, type } = message?.attributes ?? {}
    const { message: reason } = error as Error
    tools.log.error('event refused', {
      event_id: id,
      event_type: type,
      reason,
      trace_id: exchange.traceId,
    })
    throw refusalOf(error)
  }
  answer(response, { status: 204 })
}

/** Turns the error into a problem (500) that names the reason. Only the platform sees it; our Broker keeps it
 * with the dead letter. */
function refusalOf(error: unknown): unknown {
  const isRefusal =
    error instanceof EventRefusedError ||
    error instanceof InvalidEventError ||
    (error instanceof ProblemError && error.reply.status < 500)
  return isRefusal ? new ProblemError(problems.eventRefused, error.message) : error
}

/** Makes a CloudEvent of a message in binary or structured mode. Throws if an attribute breaks the
 * specification. */
async function parseEvent(message: EventMessage): Promise<CloudEventV1<unknown>> {
  checkAttributes(message.attributes)
  const event = toCloudEvent(message)
  if (!hasPlainFormats(message.attributes)) {
    // The constructor checks the event against the specification's schema.
    const { CloudEvent } = await import('cloudevents')
    new CloudEvent(event)
  }
  return event
}

function checkContract(
  event: CloudEventV1<unknown>,
  message: EventMessage,
  contracts: Exclude<Consumer['contracts'], 'any'>,
  { config }: Tools,
  validators: Validators,
): void {
  const contract = contracts.find((candidate) => candidate.type === event.type)
  if (!contract)
    throw new EventRefusedError(`This operation has no contract for events of type ${event.type}.`)
  // The contract decides whose key is used, not the event.
  if (!isSigned(message, config[eventKeySetting(contract.context)]))
    throw new EventRefusedError(`${event.type} ${event.id} is not signed by the context ${contract.context}.`)
  if (event.dataschema !== undefined && event.dataschema !== dataschemaOf(contract)) {
    throw new EventRefusedError(`Expected ${dataschemaOf(contract)}, not ${event.dataschema}.`)
  }
  const validator = validators[eventKey(contract.type)]?.body
  if (!validator || validator(event.data)) return
  const [fault] = validator.errors ?? []
  throw new EventRefusedError(
    `The data of ${event.type} ${event.id} breaks its contract: ${fault?.instancePath} ${fault && messageOf(fault)}.`,
  )
}
