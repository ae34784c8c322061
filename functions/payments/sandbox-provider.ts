import { sandboxDue, type SandboxDue } from '../../eventing/contracts/sandbox.due.ts'
import { operation, route } from '../host/operation.ts'
import { define, problem } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { uuidSchema } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { amountSchema, currencySchema, readAmount } from '../host/values/money.ts'
import {
  endSandbox,
  findSandbox,
  isMagic,
  sandboxSchema,
  storeSandbox,
  toSandbox,
  type SandboxRow,
} from './sandbox/sandbox-transfer.ts'
import { sendHooks } from './sandbox/send-hooks.ts'

const unknown = define('sandbox-unknown', 404, 'The sandbox knows no such transfer')
const declined = define('sandbox-declined', 422, 'The sandbox declines this amount')
const differs = define('sandbox-differs', 409, 'The sandbox has another transfer with this reference')

const referenceParams = {
  type: 'object',
  additionalProperties: false,
  required: ['reference'],
  properties: { reference: uuidSchema },
} as const

const WAIT_MS_MAX = 20_000

const audits = { nothing: 'it moves no money, and is no part of the bank' } as const

/** A payment provider that moves no money, for laptops, tests and clusters of developers. Production leaves
 * it out. What it does with which amount is in docs/providers.md. */
export default operation({
  name: 'sandbox-provider',
  context: 'payments',
  summary: 'Plays the payment provider where there is none: accepts, settles later, fails on demand',
  needs: ['SANDBOX_HOOK_SECRETS'],
  routes: [
    route({
      method: 'POST',
      path: '/sandbox/transfers',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'Ask the sandbox for a transfer; once for a reference',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['reference', 'kind', 'amount', 'currency'],
        properties: {
          reference: uuidSchema,
          kind: { enum: ['top-up', 'withdrawal'] },
          amount: amountSchema,
          currency: currencySchema,
        },
      },
      answers: { 201: sandboxSchema },
      problems: [declined, differs],
      idempotent: true,
      audits,
      handle: async ({ body, traceparent }, tools) => {
        const amount = readAmount(body.amount, body.currency, '/amount')
        return accept({ ...body, amount }, tools, traceparent)
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/transfers/{reference}',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'What the sandbox knows of a transfer',
      params: referenceParams,
      answers: { 200: sandboxSchema },
      problems: [unknown],
      audits,
      handle: async ({ params }, { db }) => toReply(await findSandbox(db, params.reference)),
    }),
    route({
      method: 'POST',
      path: '/sandbox/transfers/{reference}/cancel',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'Cancel a transfer that the sandbox has not settled',
      params: referenceParams,
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 200: sandboxSchema },
      problems: [unknown],
      audits,
      handle: async ({ params: { reference } }, { db }) => {
        await endSandbox(db, reference, 'failed', 'cancelled')
        return toReply(await findSandbox(db, reference))
      },
    }),
  ],
  consumes: {
    contracts: [sandboxDue],
    receive: (event, tools, _state, { traceparent }) =>
      settleLater((event.data as SandboxDue).reference, tools, traceparent),
  },
})

const toReply = (row: SandboxRow | undefined): Reply =>
  row ? { status: 200, body: toSandbox(row) } : problem(unknown, 'Nobody asked for it.')

async function accept(
  asked: Pick<SandboxRow, 'reference' | 'kind' | 'amount' | 'currency'>,
  { transact, config }: Pick<Tools, 'transact' | 'config'>,
  traceparent: string,
): Promise<Reply> {
  if (isMagic(asked.amount, 'refused')) return problem(declined, 'Amounts that end with 01 are declined.')
  const isAtOnce = isMagic(asked.amount, 'settledAtOnce')
  return transact(traceparent, async (tx) => {
    const stored = await storeSandbox(tx, {
      ...asked,
      state: isAtOnce ? 'settled' : 'pending',
      due_in_ms: config.SANDBOX_SETTLE_MS,
    })
    const { reference } = asked
    if (stored) tx.emit(sandboxDue, { subject: reference, partitionkey: reference, data: { reference } })
    const row = stored ?? (await findSandbox(tx, reference))!
    if (row.amount !== asked.amount || row.currency !== asked.currency || row.kind !== asked.kind)
      return problem(differs, 'Another transfer was asked for with this reference.')
    return { status: 201, body: toSandbox(row) }
  })
}

/** Settles a transfer when its time has come, and sends its web hooks. The wait is part of the delivery: the
 * process lives as long as it takes, and if it dies, the Broker delivers the event again. */
async function settleLater(reference: string, tools: Tools, traceparent: string): Promise<void> {
  const row = await findSandbox(tools.db, reference)
  if (!row) return
  // Never longer than the setting can be, also if the clock was set back.
  if (row.due_in_ms > 0)
    await new Promise((resolve) => setTimeout(resolve, Math.min(row.due_in_ms, WAIT_MS_MAX)))
  await endSandbox(tools.db, reference, isMagic(row.amount, 'failsLater') ? 'failed' : 'settled', null)
  if (isMagic(row.amount, 'noHook')) return
  await sendHooks((await findSandbox(tools.db, reference))!, tools, traceparent)
}
