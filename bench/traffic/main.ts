import { parseArgs } from 'node:util'
import { createClient } from '../../functions/web/client/index.ts'
import { runTraffic, type TrafficReport } from '../../knative/local/lab/traffic.ts'

const HELP = `Makes users and accounts, and then a steady mix of deposits, withdrawals and transfers.

  npm run traffic -- [--url http://localhost:8080] [--count 1000] [--rate 50] [--users 4] [--concurrency 8]

  --url          front door of a running bank
  --count        stop after so many transactions (without it: until Ctrl-C)
  --rate         transactions a second
  --users        users to register, with two accounts each
  --concurrency  requests under way at once, at the most`

function readOptions() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://localhost:8080' },
      count: { type: 'string' },
      rate: { type: 'string', default: '50' },
      users: { type: 'string', default: '4' },
      concurrency: { type: 'string', default: '8' },
      help: { type: 'boolean', default: false },
    },
  })
  const whole = (name: 'count' | 'rate' | 'users' | 'concurrency'): number | undefined => {
    const text = values[name]
    if (text === undefined) return undefined
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} must be a whole number above 0, not '${text}'`)
    return Number(text)
  }
  return {
    help: values.help,
    url: values.url,
    count: whole('count') ?? Infinity,
    rate: whole('rate')!,
    users: whole('users')!,
    concurrency: whole('concurrency')!,
  }
}

async function main(): Promise<number> {
  const { help, url, ...options } = readOptions()
  if (help) {
    console.log(HELP)
    return 0
  }
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  const report = await runTraffic(() => createClient({ url }), {
    ...options,
    signal: stop.signal,
    onProgress: showProgress(),
  })
  printReport(report)
  return report.sumIsRight ? 0 : 1
}

/** Shows progress: one live line on a terminal, otherwise a line now and then. */
function showProgress(): (line: string) => void {
  const { isTTY } = process.stderr
  let shownAt = 0
  return (line) => {
    if (Date.now() - shownAt < (isTTY ? 200 : 5_000)) return
    shownAt = Date.now()
    process.stderr.write(isTTY ? `\r\x1b[K${line}` : `${line}\n`)
  }
}

function printReport({ rows, expected, actual, sumIsRight }: TrafficReport): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const cells = [
    ['', 'requests', 'errors', 'p50 ms', 'p99 ms'],
    ...rows.map((row) =>
      [row.name, row.requests, row.errors, row.p50.toFixed(1), row.p99.toFixed(1)].map(String),
    ),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  for (const line of cells) {
    console.log(
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
  }
  const verdict = sumIsRight ? 'as it should be' : `but ${expected} was expected: MONEY WAS LOST OR CREATED`
  console.log(`\nSum of all balances: ${actual}, ${verdict}.`)
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`traffic: ${error.message}`)
    process.exit(1)
  },
)
