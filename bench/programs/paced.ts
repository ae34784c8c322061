import { createSend } from '../../functions/host/http/send.ts'
import { pace } from '../pace.ts'
import type { PacedJob } from '../ratios/events.ts'

/** Sends transfers at a steady rate. Answers when all of them were answered with 201. */
process.once('message', (job: PacedJob) => {
  measure(job).then(
    () => process.send!({ done: true }),
    (error: Error) => {
      console.error(error.message)
      process.exit(1)
    },
  )
})

async function measure({ url, perSecond, seconds, customers, keyPrefix }: PacedJob): Promise<void> {
  const send = createSend(undefined, 64)
  await pace(perSecond, seconds, async (n) => {
    const { token, accounts } = customers[n % customers.length]!
    const [from, to] = [accounts[n % 10]!, accounts[(n + 1) % 10]!]
    const { status, body } = await send({
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'idempotency-key': `${keyPrefix}-${n}`,
      },
      body: JSON.stringify({ type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }),
      timeoutMs: 10_000,
    })
    if (status !== 201) throw new Error(`expected 201, got ${status}: ${body.toString()}`)
  })
}
