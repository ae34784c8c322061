import { createLog } from '../../../monitoring/log.ts'
import { until } from '../../../tests/support/until.ts'
import { poll, spawnDaemon, stopProcess } from '../processes/daemon.ts'
import { keepAlive } from './kept-alive.ts'
import { takePort } from '../processes/ports.ts'
import { startedAt } from '../data-folder/process-identity.ts'
import { call, folderWith } from '../gateway/gateway-fixture.ts'

const answers = (port: number, pid: number) => async () => (await call(port, {})).text === String(pid)

test('a server that ends by itself is started again on the same port; a stopped one is not', async () => {
  const folder = folderWith({
    'server.cjs': `require('node:http').createServer((_, response) => response.end(String(process.pid))).listen(+process.argv[2], '127.0.0.1')`,
  })
  const pids: number[] = []
  const start = async (given?: number) => {
    const port = given ?? (await takePort())
    const daemon = await spawnDaemon({
      ...{ command: process.execPath, args: [`${folder.path}/server.cjs`, String(port)] },
      ...{ env: {}, logFile: `${folder.path}/log` },
    })
    pids.push(daemon.pid)
    await poll(() => answers(port, daemon.pid)().catch(() => false), 90_000)
    return { ...daemon, port, stop: () => stopProcess(daemon.pid, daemon.alive, [['SIGTERM', 90_000]]) }
  }
  const logged: string[] = []
  const kept = await keepAlive(
    'the server',
    start,
    createLog({}, 'error', (line) => logged.push(line)),
  )
  try {
    process.kill(pids[0]!, 'SIGKILL')
    await until(() => pids.length === 2)
    await until(answers(kept.server.port, pids[1]!))
    expect(JSON.parse(logged[0]!).message).toBe('the server ended by itself and is started again')
  } finally {
    await kept.stop()
  }
  expect(pids.map(startedAt)).toEqual([undefined, undefined])
  expect(logged).toHaveLength(1)
  folder.remove()
})
