import { resolve } from 'node:path'
import { createLog } from '../../monitoring/log.ts'
import { readArguments, USAGE, type Arguments } from './options.ts'
import { startRuntime, type Runtime } from './runtime.ts'
import { welcome } from './welcome.ts'

// The bank goes on if its terminal is closed, or its output goes to a disk that is full.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
// Files that any program makes from here on are for the person who started the bank, and nobody else.
process.umask(0o077)

void main()

async function main(): Promise<void> {
  try {
    const given = readArguments(process.argv.slice(2))
    if (given) await run(given)
    else console.log(USAGE)
  } catch (error) {
    // Most errors are sentences for the person who typed the command; a stack would hide them.
    console.error(
      `\n${process.env.LOG_LEVEL === 'debug' ? (error as Error).stack : (error as Error).message}`,
    )
    process.exitCode = 1
  }
}

async function run({ port, kubernetesPort, dataDir, host, queue }: Arguments): Promise<void> {
  const startedAt = performance.now()
  const since = () => `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`
  const stop = onStop()
  const runtime = await startRuntime({
    root: process.cwd(),
    dataDir: resolve(dataDir),
    port,
    kubernetesPort,
    queue,
    ...(host && { hosts: [host] }),
    log: createLog({ service: 'runtime' }, process.env.LOG_LEVEL === 'debug' ? 'debug' : 'warn'),
    onProgress: (sentence) => console.log(`${since()}  ${sentence}`),
    onWarning: (line) => console.error(line),
  })
  stop.stops(runtime)
  console.log(welcome(runtime, process.versions.node))
  runtime.secrets.markOperatorShown()
}

/** Ctrl-C or SIGTERM stops in order, a second one stops at once. During the start the first one waits: a bank
 * that is half started can't be stopped in order. */
function onStop(): { stops: (runtime: Runtime) => void } {
  let runtime: Runtime | undefined
  let asked = 0
  const stop = async (): Promise<void> => {
    asked++
    if (asked > 1) {
      console.log('Stopping at once.')
      runtime?.kill()
      process.exit(130)
    }
    if (!runtime)
      return console.log('\nThe bank stops as soon as it has started. Ctrl-C again stops it at once.')
    console.log(
      '\nStopping, after the requests and events that are under way. Ctrl-C again stops it at once.',
    )
    await runtime.stop()
    console.log('Stopped.')
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
  return {
    stops(started) {
      runtime = started
      if (asked === 0) return
      asked = 0
      void stop()
    },
  }
}
