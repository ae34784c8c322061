import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../monitoring/log.ts'
import { until } from '../../../tests/support/until.ts'
import { killWithChildren } from '../processes/daemon.ts'
import { startPostgres } from './postgres.ts'
import { findRabbitmq, startRabbitmq } from './rabbitmq.ts'
import { Doubts, postgresAnswers, rabbitmqAnswers, watch } from './watch.ts'

const QUICK = { everyMs: 1_000, silentMsMax: 3_000 }

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-watch-'))
  chmodSync(dataDir, 0o755)
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function endsWhenFrozen(
  name: string,
  { pid, exited }: { pid: number; exited: Promise<unknown> },
  answers: () => Promise<boolean>,
): Promise<string> {
  const lines: string[] = []
  const log = createLog({}, 'error', (line) => lines.push(line))
  await until(answers, { what: `an answer of ${name}` })
  watch({ name, answers, exited, end: () => killWithChildren(pid), log, ...QUICK })
  process.kill(pid, 'SIGSTOP')
  await exited
  return lines.join('')
}

test('a frozen Postgres is found and ended, and the next one takes over its data', async () => {
  const server = await startPostgres({ dataDir })
  const said = await endsWhenFrozen('Postgres', server, () => postgresAnswers(server.port))
  expect(said).toMatch(/Postgres runs but has not answered for \d+ s: it is ended/)
  const next = await startPostgres({ dataDir, port: server.port })
  expect(await postgresAnswers(next.port)).toBe(true)
  await next.stop()
})

test('a frozen RabbitMQ is found and ended', async () => {
  expect(findRabbitmq()).toBeDefined()
  const node = await startRabbitmq({ dataDir })
  const said = await endsWhenFrozen('RabbitMQ', node, () => rabbitmqAnswers(node.url))
  expect(said).toMatch(/RabbitMQ runs but has not answered for \d+ s: it is ended/)
  await node.stop()
})

test('a server that answers only now and then is left alone', async () => {
  let asked = 0
  let ended = 0
  let exit = () => {}
  const exited = new Promise<void>((resolve) => (exit = resolve))
  await new Promise<void>((resolve) => {
    const answers = async () => {
      if (++asked === 12) resolve()
      return asked % 3 === 0
    }
    const log = createLog({}, 'off')
    watch({ name: 'x', answers, exited, end: () => ended++, log, everyMs: 5, silentMsMax: 0 })
  })
  exit()
  expect(ended).toBe(0)
})

test('doubts are many if three come within ten minutes', () => {
  const clock = jest.spyOn(performance, 'now')
  const doubts = new Doubts()
  const at = (minutes: number) => {
    clock.mockReturnValue(minutes * 60_000)
    doubts.add()
    return doubts.areMany
  }
  expect([0, 6, 12, 15, 17].map(at)).toEqual([false, false, false, true, true])
  clock.mockReturnValue(18 * 60_000)
  expect(doubts.areMany).toBe(false)
  clock.mockRestore()
})

test('a server that speaks another protocol does not count as answering', async () => {
  const deaf = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
  const { port } = deaf.address() as { port: number }
  expect(await postgresAnswers(port)).toBe(false)
  await new Promise((resolve) => deaf.close(resolve))
  expect(await postgresAnswers(port)).toBe(false)
})
