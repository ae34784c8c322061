/** The contract of one event type: what its data holds, who says it, and an example that the schema
 * accepts. */
export interface EventContract<Data = unknown> {
  /** CloudEvents `type`: noun.past-participle. */
  type: string
  version: number
  /** The context that emits it; `source` is `/microbank/<context>`. */
  context: string
  description: string
  /** JSON Schema (2020-12) of `data`. */
  schema: object
  example: Data
  /** True where its consumer checks a signature of its own, in place of that of eventing/signature.ts. */
  hasOwnSignature?: true
}

/** CloudEvents `source` of a context. */
export const sourceOf = (contract: EventContract): string => `/microbank/${contract.context}`

/** CloudEvents `dataschema`: names the contract and its version. */
export const dataschemaOf = (contract: EventContract): string =>
  `https://microbank.dev/events/${contract.type}/${contract.version}`
