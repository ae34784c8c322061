import { operation, route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting, Tools } from '../host/tools.ts'
import { emitDue } from './providers/events.ts'
import { hear } from './providers/hear.ts'
import { HookRefusedError, type Provider, type ReportedHook } from './providers/provider.ts'
import { findProvider } from './providers/providers.ts'
import { providerProblems } from './providers/refusals.ts'

const BODY_BYTES_MAX = 64 * 1024

/** Takes the web hooks of payment providers. They have no token: they are signed. */
export default operation({
  name: 'receive-hook',
  context: 'payments',
  summary: 'Takes what payment providers say of top-ups and withdrawals',
  needs: ['SANDBOX_HOOK_SECRETS'],
  routes: [
    route({
      method: 'POST',
      path: '/providers/{provider}/hooks',
      who: 'anyone',
      summary: 'A web hook of a payment provider, signed by it',
      params: {
        type: 'object',
        additionalProperties: false,
        required: ['provider'],
        properties: { provider: { type: 'string', pattern: '^[a-z0-9-]{1,40}$' } },
      },
      // The bytes are verified before they are read.
      streamedBodyBytesMax: BODY_BYTES_MAX,
      answers: { 204: undefined },
      problems: [problems.notFound, providerProblems.hookRefused, providerProblems.unknownReference],
      audits: { nothing: 'what providers said is kept in provider_hooks' },
      handle: async ({ params, header, bodyStream, traceparent }, tools) => {
        const provider = findProvider(params.provider)
        if (!provider) return problem(problems.notFound, 'There is no such payment provider.')
        const body = await readAll(bodyStream!.parts)
        try {
          const hook = provider.readHook({ header, body, now: Date.now() }, tools.config)
          return await takeHook(provider, hook, tools, traceparent)
        } catch (error) {
          if (error instanceof HookRefusedError) return problem(providerProblems.hookRefused, error.message)
          throw error
        }
      },
    }),
  ],
})

/** Takes a web hook once, however often it comes: it is noted in the database transaction of its effect. What
 * does not fit is noted too, and answered alike, because to send it again would not help. A reference that
 * nobody knows is not noted; if it becomes known, the provider's next attempt finds it. */
async function takeHook(
  { name }: Provider,
  { id, report }: ReportedHook,
  { transact, log }: Pick<Tools, 'transact' | 'log'>,
  traceparent: string,
): Promise<Reply> {
  const reply = await transact(traceparent, async (tx) => {
    if (await isKnown(tx, name, id)) return TAKEN
    const heard = await hear(tx, name, report)
    if (!heard) return problem(providerProblems.unknownReference, 'Send it again later.')
    const { transfer, dispute, isNew } = heard
    await tx.query({
      name: 'provider-hook-insert',
      text: `insert into provider_hooks (provider, hook_id, transfer_id, state, dispute) values ($1, $2, $3, $4, $5)`,
      values: [name, id, transfer.id, report.state, dispute],
    })
    if (isNew && transfer.ended_at === null) emitDue(tx, transfer)
    if (dispute) log.error('a provider’s web hook does not fit', { ...{ transfer_id: transfer.id, dispute } })
    return TAKEN
  })
  return reply
}

const TAKEN: Reply = { status: 204 }

/** Says whether a web hook was taken before. Two at once are told apart by the lock that this takes. */
async function isKnown(tx: Emitting, provider: string, id: string): Promise<boolean> {
  await tx.query({
    name: 'provider-hook-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('hook ' || $1 || ' ' || $2, 0))`,
    values: [provider, id],
  })
  const known = await tx.query({
    name: 'provider-hook-known',
    text: 'select from provider_hooks where provider = $1 and hook_id = $2',
    values: [provider, id],
  })
  return known.length > 0
}

async function readAll(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = []
  for await (const part of parts) read.push(part)
  return Buffer.concat(read)
}
