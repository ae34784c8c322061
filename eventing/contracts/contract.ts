/** The contract of one event type: which context emits it, what its data holds, and an example. */
export interface EventContract<Data = unknown> {
  /** CloudEvents `type`: noun.past-participle. */
  type: string
  /** Version of the schema; part of `dataschema`. */
  version: number
  /** The context that emits it; `source` is `/microbank/<context>`. */
  context: string
  description: string
  /** JSON Schema (2020-12) of `data`. */
  schema: object
  /** Data that the schema accepts. */
  example: Data
  /** CloudEvents attributes that this type has besides those of all events, by name. A Trigger can filter by
   * attributes only. */
  attributes?: Readonly<Record<string, EventAttribute>>
}

/** An attribute that only some types of events have. */
export interface EventAttribute {
  description: string
  /** JSON Schema of its value, a string. */
  schema: object
  example: string
  /** True if not every event of the type has it. */
  isOptional?: true
}

/** Returns the CloudEvents `source` of the contract's events. */
export const sourceOf = ({ context }: Pick<EventContract, 'context'>): string => `/microbank/${context}`

/** Returns the CloudEvents `dataschema`: a URI that names the contract and its version. */
export const dataschemaOf = (contract: EventContract): string =>
  `https://microbank.dev/events/${contract.type}/${contract.version}`
