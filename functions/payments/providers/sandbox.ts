import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { CallResponse } from '../../host/http/call.ts'
import { formatAmount } from '../../host/values/money.ts'
import {
  HookRefusedError,
  type Asking,
  type Provider,
  type ProviderOrder,
  type ProviderReport,
} from './provider.ts'
import { readReport } from './read-report.ts'
import { verifyStandardWebhook } from './standard-webhooks.ts'

/** The provider of laptops and tests: the function `sandbox-provider`. It moves no money. */
export const sandbox: Provider = {
  name: 'sandbox',

  async create(order, asking) {
    const answer = await ask(order, asking, {
      ...{ method: 'POST', path: '/sandbox/transfers', idempotencyKey: `sandbox-${order.id}` },
      body: {
        ...{ reference: order.id, kind: order.kind, currency: order.currency },
        amount: formatAmount(order.amount, order.currency),
      },
    })
    const name = problemOf(answer)
    if (answer.status === 422 && name.startsWith('sandbox-'))
      return { refusal: name.slice('sandbox-'.length) }
    return reportIn(answer)
  },

  async get(order, asking) {
    return knownIn(await ask(order, asking, { path: `/sandbox/transfers/${order.id}` }))
  },

  async cancel(order, asking) {
    return knownIn(
      await ask(order, asking, {
        ...{ method: 'POST', path: `/sandbox/transfers/${order.id}/cancel`, body: {} },
        idempotencyKey: `sandbox-cancel-${order.id}`,
      }),
    )
  },

  readHook(hook, { SANDBOX_HOOK_SECRETS: secrets }) {
    const { id } = verifyStandardWebhook(hook, secrets)
    const report = readReport(dataOf(hook.body))
    if (!report) throw new HookRefusedError('The body is not a report of a transfer.')
    return { id, report }
  },
}

/** Asks with a time limit, three attempts with growing pauses, and a breaker: see host/http/call.ts. */
const ask = (
  { userId }: ProviderOrder,
  { tools, traceparent }: Asking,
  call: { method?: string; path: string; body?: object; idempotencyKey?: string },
): Promise<CallResponse> => tools.callFor(userId, traceparent)('sandbox-provider', call)

const knownIn = (answer: CallResponse): ProviderReport | undefined =>
  answer.status === 404 && problemOf(answer) === 'sandbox-unknown' ? undefined : reportIn(answer)

function reportIn({ status, body }: CallResponse): ProviderReport {
  const report = status === 200 || status === 201 ? readReport(body) : undefined
  if (report) return report
  throw new UnavailableError('the payment provider did not answer as agreed', {
    cause: new Error(`an answer of the sandbox with status ${status} is no report`),
  })
}

function problemOf({ body }: CallResponse): string {
  const { type } = (body ?? {}) as { type?: unknown }
  return typeof type === 'string' ? type.split('/').pop()! : ''
}

function dataOf(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString()) as { data?: unknown } | null)?.data
  } catch {
    return undefined
  }
}
