import type { Tools } from '../../host/tools.ts'

/** A payment provider: takes money from outside for the bank, and pays it out. To add one, write a file with
 * an object of this type and name it in `providers.ts` (docs/providers.md).
 *
 * Every method may be called any number of times for the same transfer, by several processes at once. Those
 * that ask reject with an UnavailableError if there is no answer, or one that can't be understood: then
 * nothing is known, and they are called again later. */
export interface Provider {
  /** Its name in settings, in the path of its web hook, and in the database. */
  readonly name: string
  /** Asks for a transfer. It must be made once, however often it is asked for: give the provider `order.id`
   * as its idempotency key, and as the reference by which get() finds it. */
  create(order: ProviderOrder, asking: Asking): Promise<ProviderReport | ProviderRefusal>
  /** Asks what has become of a transfer; undefined if the provider does not know it. */
  get(order: ProviderOrder, asking: Asking): Promise<ProviderReport | undefined>
  /** Asks for the end of a transfer that is not settled; returns what it is then. */
  cancel(order: ProviderOrder, asking: Asking): Promise<ProviderReport | undefined>
  /** Reads a web hook. Throws a HookRefusedError unless the provider signed these very bytes, recently. */
  readHook(hook: ReceivedHook, config: Tools['config']): ReportedHook
}

export type ProviderTransferKind = 'top-up' | 'withdrawal'

/** What the bank asks a provider for. */
export interface ProviderOrder {
  /** UUIDv7. */
  id: string
  kind: ProviderTransferKind
  userId: string
  /** Minor units. */
  amount: bigint
  currency: string
  description: string | null
  /** Of a withdrawal: who gets it, and their account as the provider writes it. */
  payeeName: string | null
  payeeAccount: string | null
}

/** What a provider needs to ask. */
export interface Asking {
  tools: Pick<Tools, 'callFor' | 'send' | 'config'>
  traceparent: string
}

/** What a provider says of a transfer. It is compared with what was asked, so it must be what the provider
 * says, not what the order says. */
export interface ProviderReport {
  /** The order's id. */
  reference: string
  /** The provider's own id. */
  providerId: string
  kind: ProviderTransferKind
  state: 'pending' | 'settled' | 'failed'
  /** Minor units. */
  amount: bigint
  currency: string
  /** If it failed: why, in small letters and hyphens. */
  reason: string | null
  /** Where the customer goes on, if they have to. */
  nextUrl: string | null
}

/** The provider won't do it. `refusal` is its reason, in small letters and hyphens. */
export interface ProviderRefusal {
  refusal: string
}

/** A web hook as it came. */
export interface ReceivedHook {
  /** Returns a header; undefined if it was not sent. The name is in lower case. */
  header: (name: string) => string | undefined
  /** The body's bytes, exactly. */
  body: Buffer
  /** Milliseconds since 1970. */
  now: number
}

export interface ReportedHook {
  /** The same each time the provider sends it. */
  id: string
  report: ProviderReport
}

/** Thrown for a web hook that must not be believed. The message may reach its sender. */
export class HookRefusedError extends Error {}
