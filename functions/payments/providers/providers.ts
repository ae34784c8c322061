import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Provider } from './provider.ts'
import { sandbox } from './sandbox.ts'

/** The payment providers that there are, by their names. The setting PAYMENT_PROVIDER says which of them new
 * transfers go to; the others finish those that they have begun. */
const providers: readonly Provider[] = [sandbox]

/** Returns the provider with this name; undefined if there is none. */
export const findProvider = (name: string): Provider | undefined =>
  providers.find((provider) => provider.name === name)

/** Returns the provider of a transfer. Throws an UnavailableError if it was taken out of the code. */
export function providerOf(name: string): Provider {
  const provider = findProvider(name)
  if (!provider) throw new UnavailableError(`there is no payment provider '${name}' any more`)
  return provider
}
