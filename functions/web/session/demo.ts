import type { IncomingMessage } from 'node:http'
import type { IncomingAnswer } from '../../host/http/send.ts'
import type { Tools } from '../../host/tools.ts'

/** The local runtime, over its gateway (knative/local/demo). */
const DEMO_CUSTOMER = 'http://runtime.microbank.localhost/demo-customer'
/** Milliseconds. The first time, some functions must start. */
const TIMEOUT_MS = 55_000

/** The names of this machine. A name of another site may lead here too, if its owner wants that. */
const HERE = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/

/** Creates the way to the demo customer. Only the runtime of a laptop knows them, and only it gives the
 * secret that it asks for: on a cluster there is no demo customer, whatever the environment says. */
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
