import { createSend } from '../../functions/host/http/send.ts'
import { pace } from '../pace.ts'
import { transferRequest } from '../transfer-request.ts'
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
    const key = `${keyPrefix}-${n}`
    const { status, body } = await send(transferRequest(n, { url, token, accounts, key, timeoutMs: 10_000 }))
    if (status !== 201) throw new Error(`expected 201, got ${status}: ${body.toString()}`)
  })
}
