import type { IncomingMessage } from 'node:http'
import type { IncomingAnswer } from '../../host/http/send.ts'
import type { Tools } from '../../host/tools.ts'

/** The local runtime, over its gateway (knative/local/demo). */
const DEMO_CUSTOMER = 'http://runtime.microbank.localhost/demo-customer'
/** Milliseconds. The first time, some functions must start. */
const TIMEOUT_MS = 55_000

/** Names of this machine. The owner of another site can make its name lead here too, so only these count. */
const HERE = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/

/** Creates the calls for the demo customer. Only the runtime of a laptop has one, and gives the secret that
 * it asks for. Without the runtime's gateway there is none: so a cluster has none, whatever its environment
 * says. */
export function createDemo({ send, config: { DEMO_KEY, LOCAL_GATEWAY } }: Tools) {
  return {
    isHere: ({ headers }: IncomingMessage): boolean =>
      LOCAL_GATEWAY !== undefined && DEMO_KEY !== '' && HERE.test(headers.host ?? ''),
    signIn: ({ headers }: IncomingMessage): Promise<IncomingAnswer> =>
      send({
        ...{ url: DEMO_CUSTOMER, method: 'POST', timeoutMs: TIMEOUT_MS },
        headers: {
          authorization: `Bearer ${DEMO_KEY}`,
          ...(headers['user-agent'] !== undefined && { 'user-agent': headers['user-agent'] }),
        },
      }),
  }
}
