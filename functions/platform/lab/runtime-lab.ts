import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'

/** The lab of the local runtime, over its gateway (knative/local/lab/door.ts). */
const LAB = 'http://runtime.microbank.localhost/lab'
const TIMEOUT_MS = 10_000

export interface LabAnswer {
  status: number
  body: unknown
}

/** Why there is no lab here; undefined if there is one to ask. */
export const whyNoLab = ({ config }: Pick<Tools, 'config'>): 'cluster' | undefined =>
  config.LOCAL_GATEWAY === undefined || config.LAB_KEY === '' ? 'cluster' : undefined

/** Asks the lab. Rejects with an UnavailableError if it does not answer, or answers with a failure. */
export async function askLab(
  { send, config }: Pick<Tools, 'send' | 'config'>,
  method: string,
  path: string,
  body?: object,
): Promise<LabAnswer> {
  const answer = await send({
    ...{ url: LAB + path, method, timeoutMs: TIMEOUT_MS },
    headers: { authorization: `Bearer ${config.LAB_KEY}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const { status } = answer
  if (status >= 500 || status === 401) throw new UnavailableError(`the lab answered ${status}`)
  return { status, body: JSON.parse(answer.body.toString()) as unknown }
}
