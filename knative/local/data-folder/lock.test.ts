import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { inOtherProcess } from '../../../tests/support/other-process.ts'
import { until } from '../../../tests/support/until.ts'
import { openProcessRecords } from '../processes/leftovers.ts'
import { lockDataFolder } from './lock.ts'
import { folderIdentity } from './own-files.ts'
import { isAlive, startedAt } from './process-identity.ts'
import { folderWith } from '../gateway/gateway-fixture.ts'

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = folderWith({})
})
afterEach(() => folder.remove())

const lockElsewhere = () =>
  inOtherProcess<string>(`
    import { lockDataFolder } from './knative/local/data-folder/lock.ts'
    lockDataFolder(${JSON.stringify(folder.path)})
    setInterval(() => {}, 1000)
    process.send('locked')`)

/** What a power cut, a full disk or a person can do to a file. */
const DAMAGED: [string, (file: string) => void][] = [
  ['empty', (file) => writeFileSync(file, '')],
  ['full of zeros', (file) => writeFileSync(file, Buffer.alloc(60))],
  ['cut short', (file) => writeFileSync(file, '{"pid":12,"sta')],
  ['null', (file) => writeFileSync(file, 'null')],
  ['an empty object', (file) => writeFileSync(file, '{}')],
  ['a folder', (file) => mkdirSync(`${file}/inside`, { recursive: true })],
]

describe('the lock of a data folder', () => {
  test('refuses a second start, naming process and URL, and is taken over from a killed process', async () => {
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

  test('is taken over when its pid now belongs to another process', () => {
    writeFileSync(
      `${folder.path}/lock`,
      JSON.stringify({
        pid: process.ppid,
        started: 'before the last boot',
        folder: folderIdentity(folder.path),
      }),
    )
    lockDataFolder(folder.path)()
  })

  test.each(DAMAGED)('is taken over when it is %s', (_, damage) => {
    damage(`${folder.path}/lock`)
    lockDataFolder(folder.path)()
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('is taken over in a copy of the folder while the original runs', async () => {
    const { child } = await lockElsewhere()
    const copy = `${folder.path}-copy`
    cpSync(folder.path, copy, { recursive: true })
    try {
      const unlock = lockDataFolder(copy)
      expect(() => lockDataFolder(copy)).toThrow(`process ${process.pid}`)
      expect(() => lockDataFolder(folder.path)).toThrow(`process ${child.pid}`)
      unlock()
    } finally {
      child.kill('SIGKILL')
      rmSync(copy, { recursive: true, force: true })
    }
  })
})

describe('the records of processes', () => {
  test('the next start stops a process that a killed runtime left, but not another process with its pid', async () => {
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
      const ofThisFolder = { ...record, folder: folderIdentity(folder.path) }
      writeFileSync(`${folder.path}/processes/${strangerIs.pid}.json`, JSON.stringify(ofThisFolder))
      for (const [name, damage] of DAMAGED) damage(`${folder.path}/processes/${name}.json`)

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

  test('in a copy of the folder belong to the original, whose processes keep running', async () => {
    const { child } = await inOtherProcess<string>(`setInterval(() => {}, 1000); process.send('runs')`)
    const copy = `${folder.path}-copy`
    try {
      openProcessRecords(folder.path).add(child.pid!, 'transfer')
      cpSync(folder.path, copy, { recursive: true })
      expect(await openProcessRecords(copy).stopLeftovers(100)).toEqual([])
      expect(startedAt(child.pid!)).toBeDefined()
      // A renamed folder is the same folder.
      renameSync(folder.path, `${folder.path}-renamed`)
      const stopped = await openProcessRecords(`${folder.path}-renamed`).stopLeftovers(100)
      expect(stopped).toEqual([`transfer (process ${child.pid})`])
    } finally {
      child.kill('SIGKILL')
      for (const path of [copy, `${folder.path}-renamed`]) rmSync(path, { recursive: true, force: true })
    }
  })

  test('a record that can’t be written is written as soon as possible', async () => {
    const records = openProcessRecords(folder.path)
    const file = `${folder.path}/processes/${process.pid}.json`
    // No write succeeds while a folder has the file's name, not even root's.
    mkdirSync(file)
    records.add(process.pid, 'transfer')
    records.remove(12)
    rmdirSync(file)
    await until(() => existsSync(file))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid, what: 'transfer' })
  })
})
