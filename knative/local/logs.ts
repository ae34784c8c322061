import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openLogs } from './log-files.ts'
import { logQuery, printable } from './log-lines.ts'

const USAGE = `npm run logs -- [options]

Shows what the functions of the bank on this data folder have logged, the oldest first.

  --trace ID          only lines of this trace: traceparent's middle part, which each answer has
  --service transfer  only lines of this function
  --level warn        only lines of this level or above: debug, info, warn, error
  --since 15m         only lines of this period: 90s, 15m, 2h, 1d
  --grep TEXT         only lines with this text
  --follow            goes on with what is logged from now on
  --data .microbank   the data folder`

const FOLLOW_MS = 300

void main()

async function main(): Promise<void> {
  // The reader of a pipe may leave: `| head`.
  process.stdout.on('error', () => process.exit())
  try {
    const { values } = parseArgs({
      options: {
        trace: { type: 'string' },
        service: { type: 'string' },
        level: { type: 'string' },
        since: { type: 'string' },
        grep: { type: 'string' },
        follow: { type: 'boolean', default: false },
        data: { type: 'string', default: '.microbank' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return console.log(USAGE)
    const { trace, level, since, grep } = values
    const query = logQuery({ trace, level, since, grep })
    const read = openLogs(join(values.data, 'logs'), values.service, query)
    do {
      for (const { service, text } of read(!values.follow))
        console.log(printable(text.startsWith('{"') ? text : `${service} ${text}`))
      if (values.follow) await delay(FOLLOW_MS)
    } while (values.follow)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
