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
  /** True if the event carries a signature of its own in place of the one of eventing/signature.ts. */
  hasOwnSignature?: true
}

/** Returns the CloudEvents `source` of the contract's events. */
export const sourceOf = ({ context }: Pick<EventContract, 'context'>): string => `/microbank/${context}`

/** Returns the CloudEvents `dataschema`: a URI that names the contract and its version. */
export const dataschemaOf = (contract: EventContract): string =>
  `https://microbank.dev/events/${contract.type}/${contract.version}`
