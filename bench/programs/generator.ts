import { randomInt, randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import type { Customer } from '../customers.ts'
import type { LoadJob, LoadReport } from '../load.ts'
import { percentiles } from '../latency.ts'
import { usageOf } from '../processes.ts'

/** Runs autocannon as told by the one message that it gets, and answers with what came of it. */
process.once('message', (job: LoadJob) => {
  measure(job).then(
    (report) => process.send!(report),
    (error: Error) => process.send!({ fault: error.message }),
  )
})

async function measure(job: LoadJob): Promise<LoadReport> {
  const next = requests(job)
  const warmup = job.warmupSeconds > 0 ? (await fire(job, next, job.warmupSeconds)).succeeded : 0
  const cpuBefore = job.serverPid ? usageOf(job.serverPid).cpuSeconds : 0
  const { succeeded, perSecond, latencies } = await fire(job, next, job.seconds)
  const cpu = job.serverPid ? usageOf(job.serverPid).cpuSeconds - cpuBefore : 0
  return {
    perSecond,
    succeeded: warmup + succeeded,
    latency: percentiles(latencies),
    serverCpuSeconds: cpu / succeeded,
  }
}

async function fire(job: LoadJob, next: () => autocannon.Request, seconds: number) {
  // autocannon's own histogram counts whole milliseconds, which is too coarse for what takes one.
  const latencies: number[] = []
  const startedAt = performance.now()
  const { url, connections } = job
  // What is not replaced (path, host) stays as autocannon had it.
  const requests = [{ setupRequest: (request: autocannon.Request) => ({ ...request, ...next() }) }]
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon({ url, connections, duration: seconds, requests }, (error: unknown, done) =>
      error ? reject(error as Error) : resolve(done),
    )
    instance.on('response', (_client, status, _bytes, milliseconds) => {
      if (status < 300) latencies.push(milliseconds)
    })
  })
  const elapsed = (performance.now() - startedAt) / 1000
  const { non2xx, errors, timeouts } = result
  if (non2xx + errors + timeouts > 0)
    throw new Error(`answered ${non2xx} times other than 2xx, ${errors} errors and ${timeouts} time-outs`)
  return { succeeded: latencies.length, perSecond: latencies.length / elapsed, latencies }
}

/** Gives the next request: a transfer with an idempotency key of its own, or always the same body. */
function requests({ transfers, numbered, body }: LoadJob): () => autocannon.Request {
  const headers = { 'content-type': 'application/json' }
  if (numbered) return () => ({ method: 'POST', headers, body: JSON.stringify(numberedTransfer(numbered)) })
  if (!transfers) return () => ({ method: 'POST', headers, body: body! })
  const { customers, keyPrefix, toAccount } = transfers
  const authorization = new Map(customers.map((customer) => [customer, `Bearer ${customer.token}`]))
  let count = 0
  return () => {
    const customer = pick(customers)
    const from = pick(customer.accounts)
    const to = toAccount && toAccount !== from ? toAccount : otherThan(from, customers)
    return {
      method: 'POST',
      headers: {
        ...headers,
        authorization: authorization.get(customer)!,
        'idempotency-key': `${keyPrefix}-${count++}`,
      },
      body: JSON.stringify({ type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }),
    }
  }
}

const pick = <Item>(items: readonly Item[]): Item => items[randomInt(items.length)]!

function otherThan(from: string, customers: readonly Customer[]): string {
  for (;;) {
    const to = pick(pick(customers).accounts)
    if (to !== from) return to
  }
}

function numberedTransfer({ from: first, to: last }: { from: number; to: number }) {
  const from = randomInt(first, last + 1)
  // Any other one: the numbers go round.
  const to = first + ((from - first + randomInt(1, last - first + 1)) % (last - first + 1))
  return { key: randomUUID(), from, to, amount: 100 }
}
