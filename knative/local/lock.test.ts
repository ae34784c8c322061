import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { inOtherProcess } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { openProcessRecords } from './leftovers.ts'
import { lockDataFolder } from './lock.ts'
import { isAlive, startedAt } from './process-identity.ts'
import { folderWith } from './test-gateway.ts'

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = folderWith({})
})
afterEach(() => folder.remove())

const lockElsewhere = () =>
  inOtherProcess<string>(`
    import { lockDataFolder } from './knative/local/lock.ts'
    lockDataFolder(${JSON.stringify(folder.path)})
    setInterval(() => {}, 1000)
    process.send('locked')`)

describe('the lock of a data folder', () => {
  test('refuses a second start with a sentence that names process and URL, and is taken over from a killed one', async () => {
    const { child } = await lockElsewhere()
    try {
      expect(() => lockDataFolder(folder.path)).toThrow(`process ${child.pid}, and is still starting.`)
      writeFileSync(
        `${folder.path}/runtime.json`,
        JSON.stringify({ pid: child.pid, url: 'http://localhost:8080' }),
      )
      expect(() => lockDataFolder(folder.path)).toThrow(
        `already runs on the data folder ${folder.path}: process ${child.pid}, at http://localhost:8080. Stop it first (kill ${child.pid})`,
      )
    } finally {
      child.kill('SIGKILL')
    }
    await until(() => !startedAt(child.pid!))
    const unlock = lockDataFolder(folder.path)
    expect(JSON.parse(readFileSync(`${folder.path}/lock`, 'utf8')).pid).toBe(process.pid)
    unlock()
    expect(readdirSync(folder.path)).toEqual(['runtime.json'])
  })

  test('is taken over when its pid belongs to another process by now', () => {
    writeFileSync(
      `${folder.path}/lock`,
      JSON.stringify({ pid: process.ppid, started: 'before the last boot' }),
    )
    lockDataFolder(folder.path)()
  })

  test('is taken over when it holds nothing that can be read', () => {
    writeFileSync(`${folder.path}/lock`, '')
    lockDataFolder(folder.path)()
  })
})

describe('the records of processes', () => {
  test('a process that a killed runtime left is stopped by the next start; a stranger with its pid is not', async () => {
    const { child } = await inOtherProcess<string>(`
      process.on('SIGTERM', () => {})
      setInterval(() => {}, 1000)
      process.send('deaf to SIGTERM')`)
    const stranger = await inOtherProcess<string>(`setInterval(() => {}, 1000); process.send('stranger')`)
    const strangerIs = { pid: stranger.child.pid!, started: startedAt(stranger.child.pid!)! }
    try {
      const before = openProcessRecords(folder.path)
      before.add(child.pid!, 'transfer')
      const record = { pid: strangerIs.pid, started: 'another', what: 'deposit' }
      writeFileSync(`${folder.path}/processes/${strangerIs.pid}.json`, JSON.stringify(record))
      writeFileSync(`${folder.path}/processes/12.json`, '{"half')

      const stopped = await openProcessRecords(folder.path).stopLeftovers(100)
      expect(stopped).toEqual([`transfer (process ${child.pid})`])
      expect(startedAt(child.pid!)).toBeUndefined()
      expect(isAlive(strangerIs)).toBe(true)
      expect(readdirSync(`${folder.path}/processes`)).toEqual([])
    } finally {
      child.kill('SIGKILL')
      stranger.child.kill('SIGKILL')
    }
  })
})
