import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bundle } from '../../../tests/support/other-process.ts'

/** Tells how three processes start: while no file can be opened, while three can, and when there is room. */
const SCRIPT = `
  import { closeSync, openSync } from 'node:fs'
  import { FunctionProcess } from './knative/local/processes/process.ts'
  import { giveBack, takePort } from './knative/local/processes/ports.ts'

  const spec = {
    ...{ service: 'x', script: '-e', env: {}, startTimeoutMs: 200_000, stopTimeoutMs: 1_000 },
    args: [\`require('node:http').createServer().listen(process.env.PORT, '127.0.0.1')\`],
    ...{ onLine() {}, onPhase() {}, records: { add() {}, remove() {} } },
  }
  const open: number[] = []
  const fill = (): void => {
    try {
      for (;;) open.push(openSync('/dev/null', 'r'))
    } catch {
      // No more can be opened.
    }
  }
  const free = (count: number): void => open.splice(-count).forEach((file) => closeSync(file))

  async function start(): Promise<string> {
    const started = new FunctionProcess(spec)
    const outcome = await started.ready.then(() => 'ready', () => 'refused')
    started.kill()
    const { reason } = await started.exited
    return \`\${outcome}: \${reason}\`
  }

  async function main(): Promise<void> {
    // The first port opens one file for as long as the program runs.
    giveBack(await takePort())
    fill()
    const told = [await start()]
    free(3)
    told.push(await start())
    free(open.length)
    told.push(await start())
    console.log(JSON.stringify(told))
    process.exit()
  }
  void main()`

test('a process that can’t be started for lack of files says so and ends nobody else, and the next one starts', async () => {
  const program = await bundle(SCRIPT)
  try {
    const limited = ['-c', 'ulimit -n 64 && exec "$0" "$1"', process.execPath, program.file]
    const { stdout } = await promisify(execFile)('/bin/sh', limited)
    const [none, few, room] = JSON.parse(stdout) as string[]
    expect(none).toMatch(/^refused: /)
    expect(few).toMatch(/^refused: could not be started: .*EMFILE/)
    expect(room).toBe('ready: was ended by SIGKILL')
  } finally {
    await program.remove()
  }
})
