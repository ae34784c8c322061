import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { until } from '../../../tests/support/until.ts'
import { openFunctionLogs } from './function-log.ts'
import { folderWith } from '../gateway/gateway-fixture.ts'

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = folderWith({ 'logs/notify.log': '' })
})
afterEach(() => folder.remove())

// Every write to /dev/full fails with ENOSPC, even root's. Only Linux has it.
const onFullDisk = existsSync('/dev/full') ? test : test.skip

onFullDisk(
  'on a full disk lines are lost and reported once; the log continues when there is room again',
  async () => {
    const terminal: string[] = []
    const logs = openFunctionLogs(folder.path, (line) => terminal.push(line))
    const file = `${folder.path}/logs/transfer.log`
    symlinkSync('/dev/full', file)
    logs.write('transfer', 'while it is full', 1)
    await until(() => terminal.some((line) => line.includes('no space left on device')))
    logs.write('transfer', '{"level":"info"}', 1)
    logs.write('notify', '{"level":"info"}', 2)
    await until(() => readFileSync(`${folder.path}/logs/notify.log`, 'utf8') === '{"level":"info"}\n')

    rmSync(file)
    let written = 0
    const read = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
    await until(() => {
      logs.write('transfer', `{"n":${++written}}`, 1)
      return read() !== ''
    })
    await logs.close()
    expect(read()).toMatch(/^\n\(\d+ lines are missing here: the log could not be written\)\n{"n":\d+}\n/)
    expect(terminal.filter((line) => line.includes("logs can't be written"))).toHaveLength(1)
  },
)
