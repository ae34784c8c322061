import { dataschemaOf, sourceOf, type EventAttribute, type EventContract } from './contracts/contract.ts'
import { groupsByEvent } from './groups-by-event.ts'
import { groupsOf } from './groups.ts'

const DESCRIPTION = `Every event of the bank, written from the contracts of its contexts.

Events are CloudEvents 1.0. They travel over HTTP in binary mode: attributes as \`ce-\` headers, the data as JSON body.
Each arrives at least once; its \`id\` and \`source\` tell whether it has been here before. Some types have attributes of their own: mostly
for Triggers, which can filter by attributes only.`

const text = { type: 'string' } as const

/** What the attributes of groups mean: see groups.ts. These texts stand here, because every function loads
 * that file. */
const GROUPS: Readonly<Record<string, string>> = {
  webhooks: 'Web hooks are offered this type.',
  tells: 'It tells a user something.',
  changes: 'It changes what is known of a user’s addresses, or whose they are.',
}

/** The same for groups in which only some events of a type are. */
const GROUPS_BY_EVENT: Readonly<Record<string, string>> = {
  webhooks: 'Web hooks are offered this event: it concerns somebody who has one for such events.',
}

/** Attributes that only some types of events have. */
function ownAttributes({ type, attributes = {} }: EventContract) {
  const groups = Object.entries(groupsOf(type)).map(([name, value]): [string, EventAttribute] => [
    name,
    { description: GROUPS[name]!, schema: { const: value }, example: value },
  ])
  const some = Object.entries(groupsByEvent(type)).map(([name, value]): [string, EventAttribute] => [
    name,
    { description: GROUPS_BY_EVENT[name]!, schema: { const: value }, example: value, isOptional: true },
  ])
  const own = Object.entries<EventAttribute>({
    ...Object.fromEntries([...groups, ...some]),
    ...attributes,
  }).map(([name, attribute]) => ({ name: `ce-${name}`, ...attribute }))
  return {
    required: own.flatMap(({ name, isOptional }) => (isOptional ? [] : [name])),
    properties: Object.fromEntries(
      own.map(({ name, schema, description }) => [name, { ...text, ...schema, description }]),
    ),
    examples: Object.fromEntries(own.map(({ name, example }) => [name, example])),
  }
}

/** Writes the AsyncAPI 3 document of all events. */
export function asyncapiOf(contracts: readonly EventContract[], version: string): object {
  const sorted = [...contracts].sort((a, b) => (a.type < b.type ? -1 : 1))
  const byType = <Part>(part: (contract: EventContract) => Part): Record<string, Part> =>
    Object.fromEntries(sorted.map((contract) => [contract.type, part(contract)]))
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'microbank events',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache License 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      tags: [...new Set(sorted.map(({ context }) => context))].sort().map((name) => ({ name })),
    },
    defaultContentType: 'application/json',
    channels: byType(channelOf),
    operations: byType(operationOf),
    components: {
      messages: byType(messageOf),
      messageTraits: { cloudEvent: { name: 'CloudEvent', contentType: 'application/json' } },
    },
  }
}

/** The Broker routes an event by its type, so a channel is a type. */
const channelOf = ({ type, description }: EventContract) => ({
  address: type,
  description,
  messages: { [type]: { $ref: `#/components/messages/${type}` } },
})

const operationOf = ({ type, context, description }: EventContract) => ({
  action: 'send',
  summary: description,
  channel: { $ref: `#/channels/${type}` },
  messages: [{ $ref: `#/channels/${type}/messages/${type}` }],
  tags: [{ name: context }],
})

function messageOf(contract: EventContract) {
  const { type, context, description, schema, example, version } = contract
  const fixed = {
    'ce-specversion': '1.0',
    'ce-type': type,
    'ce-source': sourceOf(contract),
    'ce-dataschema': dataschemaOf(contract),
  }
  const own = ownAttributes(contract)
  return {
    name: type,
    title: `${type} (version ${version})`,
    summary: description,
    contentType: 'application/json',
    tags: [{ name: context }],
    headers: {
      type: 'object',
      required: ['ce-id', 'ce-time', 'ce-signature', ...Object.keys(fixed), ...own.required],
      properties: {
        ...Object.fromEntries(Object.entries(fixed).map(([name, value]) => [name, { const: value }])),
        'ce-id': text,
        'ce-time': { type: 'string', format: 'date-time' },
        'ce-subject': { ...text, description: 'The id of what the event is about.' },
        'ce-partitionkey': { ...text, description: 'Events of one key keep their order, where one does.' },
        'ce-traceparent': {
          ...text,
          description: 'The trace that the event belongs to (W3C Trace Context).',
        },
        'ce-signature': {
          ...text,
          description: `HMAC-SHA-256 by the key of the context ${context}; its consumers refuse all else.`,
        },
        ...own.properties,
      },
    },
    payload: schema,
    examples: [
      {
        headers: {
          ...fixed,
          'ce-id': EXAMPLE_ID,
          'ce-time': '2026-01-05T09:30:00.000Z',
          'ce-signature': 'h3ZKcPkWq0m0hZK1r6QpDq0F8wE1l2v3nJ5yTz9XbRs',
          ...own.examples,
        },
        payload: example,
      },
    ],
  }
}

const EXAMPLE_ID = '01936f0d-99d2-7b1a-a1a4-2f0f6a1c9b56'
