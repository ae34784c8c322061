import { readFileSync } from 'node:fs'
import { until } from '../../../tests/support/until.ts'
import { folderWith } from '../gateway/gateway-fixture.ts'
import { spawnDaemon, stopProcess } from './daemon.ts'

test('a frozen server is stopped in order', async () => {
  const folder = folderWith({
    'server.cjs': `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`,
  })
  const server = await spawnDaemon({
    ...{ command: process.execPath, args: [`${folder.path}/server.cjs`] },
    ...{ env: {}, logFile: `${folder.path}/log` },
  })
  await until(() => readFileSync(`${folder.path}/log`, 'utf8').includes('ready'))
  process.kill(server.pid, 'SIGSTOP')
  const steps = [
    ['SIGTERM', 90_000],
    ['SIGKILL', 90_000],
  ] as const
  await stopProcess(server.pid, server.alive, steps)
  expect(await server.exited).toEqual({ code: 7, signal: null })
  folder.remove()
})
