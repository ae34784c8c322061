/** A job for the program `steady`. */
export type SteadyJob =
  | {
      do: 'start'
      url: string
      clients: number
      /** Transfers a second, of all clients together. */
      perSecond: number
      keyPrefix: string
      /** The accounts of each customer. */
      customers: readonly (readonly string[])[]
      /** A token for each customer. */
      tokens: readonly string[]
    }
  /** `tokens` are fresh ones, now and then: a soak lasts longer than a token. */
  | { do: 'report'; tokens: readonly string[] | undefined }
  | { do: 'stop' }

/** What the clients met since the last report. */
export interface SteadyReport {
  /** Time of each transfer from its first request to its 201, sorted, in ms. */
  latenciesMs: number[]
  /** Requests that had to be sent again. */
  repeated: number
}
