import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { processState } from '../../tests/support/process-state.ts'
import { until } from '../../tests/support/until.ts'
import { AlreadyWatched, claimFolder, folderIdentity } from './claim.mjs'
import { openPassage } from './passage.mjs'
import { startProgram } from './programs.mjs'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-programs-'))
  file = join(folder, 'pid')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program that writes its process id to the file, and stays. */
const staying = (): string[] => [
  '-e',
  `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1e6)`,
]
const written = (): Promise<number> =>
  until(() => existsSync(file) && Number(readFileSync(file, 'utf8')), { what: 'the program to start' })
const isGone = (pid: number): boolean => ['', 'Z'].includes(processState(pid))

test('a program ends with the process that started it, even if that is killed', async () => {
  const url = pathToFileURL(join(__dirname, 'programs.mjs')).href
  const starter = `import { startProgram } from ${JSON.stringify(url)}
    startProgram('staying', process.execPath, ${JSON.stringify(staying())})`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', starter])
  const pid = await written()
  expect(isGone(pid)).toBe(false)
  parent.kill('SIGKILL')
  await until(() => isGone(pid), { what: 'the program to end' })
})

test('a program ends when it is told to', async () => {
  const program = startProgram('staying', process.execPath, staying())
  const pid = await written()
  program.stop()
  await program.ended
  expect(isGone(pid)).toBe(true)
})

test('a program that ends by itself says why', async () => {
  const program = startProgram('failing', process.execPath, ['-e', `console.error('No room.')`])
  expect(await program.ended).toBe('No room.')
  const missing = startProgram('missing', join(folder, 'missing'), [])
  expect(await missing.ended).toMatch(/not found/)
})

describe('the claim of a data folder', () => {
  /** A monitor with a passage of its own, as `npm run monitor` has one. */
  async function openMonitor(prometheus?: string, watched = folder) {
    const itself = { pid: process.pid, folder: folderIdentity(watched) }
    const passage = await openPassage(
      () => undefined,
      () => ({ ...itself, prometheus }),
    )
    return { ...passage, claim: { ...itself, port: passage.port } }
  }
  const claimFile = (number = 1): string => join(folder, `claim-${number}.json`)
  /** The claim that counts. There is one, and no other file. */
  const holder = (): unknown => {
    const [name, ...others] = readdirSync(folder)
    expect([name, others]).toEqual([expect.stringMatching(/^claim-\d+[.]json$/), []])
    return JSON.parse(readFileSync(join(folder, name!), 'utf8'))
  }

  test('refuses a second monitor with a sentence that says where the first is, and changes nothing', async () => {
    const [first, second] = [await openMonitor('http://127.0.0.1:9090'), await openMonitor()]
    const giveUp = await claimFolder(folder, first.claim)
    const refused = claimFolder(folder, second.claim)
    await expect(refused).rejects.toThrow(
      `npm run monitor watches this bank already: process ${process.pid}, with Prometheus at http://127.0.0.1:9090. To start another, stop it first: kill ${process.pid}`,
    )
    await expect(refused).rejects.toThrow(AlreadyWatched)
    expect(holder()).toEqual(first.claim)
    giveUp()
    expect(readFileSync(claimFile(), 'utf8')).toBe('')
    await claimFolder(folder, second.claim)
    // Only its own is given up.
    giveUp()
    expect(holder()).toEqual(second.claim)
    for (const { close } of [first, second]) close()
  })

  test('that a killed monitor left is taken over, whatever has its pid or its port by now', async () => {
    const killed = await openMonitor()
    await claimFolder(folder, killed.claim)
    killed.close()
    const next = await openMonitor()
    // This process has its pid, and runs.
    await claimFolder(folder, next.claim)
    expect(holder()).toEqual(next.claim)
    const others: ((server: Server) => void)[] = [
      (server) => server.on('request', (_request, response) => response.end('{"folder":"1:2"}')),
      (server) => server.on('request', (_request, response) => response.writeHead(404).end('no JSON')),
      (server) => server.on('request', (request) => request.socket.destroy()),
    ]
    for (const behave of others) {
      const other = createServer()
      behave(other)
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      const stale = { ...killed.claim, port: (other.address() as AddressInfo).port }
      for (const name of readdirSync(folder)) rmSync(join(folder, name))
      writeFileSync(claimFile(), JSON.stringify(stale))
      await claimFolder(folder, next.claim)
      expect(holder()).toEqual(next.claim)
      other.closeAllConnections()
      other.close()
    }
    next.close()
  })

  test('of a killed monitor whose port this one got is taken over', async () => {
    const next = await openMonitor()
    writeFileSync(claimFile(), JSON.stringify({ ...next.claim, pid: next.claim.pid + 1 }))
    await claimFolder(folder, next.claim)
    expect(holder()).toEqual(next.claim)
    next.close()
  })

  test.each([
    ['empty', () => writeFileSync(claimFile(), '')],
    ['full of zeros', () => writeFileSync(claimFile(), Buffer.alloc(60))],
    ['cut short', () => writeFileSync(claimFile(), '{"pid":12,"po')],
    ['null', () => writeFileSync(claimFile(), 'null')],
    [
      'of a port that can’t be',
      () =>
        writeFileSync(claimFile(), JSON.stringify({ port: '9x', pid: 1, folder: folderIdentity(folder) })),
    ],
    ['a folder', () => mkdirSync(join(claimFile(), 'inside'), { recursive: true })],
  ])('is taken over if it is %s', async (_, damage) => {
    damage()
    const monitor = await openMonitor()
    await claimFolder(folder, monitor.claim)
    expect(holder()).toEqual(monitor.claim)
    monitor.close()
  })

  test('means nothing in a copy of the folder, while the original is watched', async () => {
    const original = await openMonitor()
    await claimFolder(folder, original.claim)
    const copy = `${folder}-copy`
    cpSync(folder, copy, { recursive: true })
    const [ofCopy, second] = [await openMonitor(undefined, copy), await openMonitor()]
    try {
      await claimFolder(copy, ofCopy.claim)
      await expect(claimFolder(folder, second.claim)).rejects.toThrow('does not run yet')
    } finally {
      rmSync(copy, { recursive: true })
      for (const { close } of [original, ofCopy, second]) close()
    }
  })

  test('is held by one of several that come at once, also after one that was killed', async () => {
    const killed = await openMonitor()
    await claimFolder(folder, killed.claim)
    killed.close()
    const monitors = await Promise.all([openMonitor(), openMonitor(), openMonitor()])
    const outcomes = await Promise.allSettled(monitors.map(({ claim }) => claimFolder(folder, claim)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const won = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(holder()).toEqual(monitors[won]!.claim)
    for (const { close } of monitors) close()
  })

  test('is not made below another one by who has found an older one free', async () => {
    let ask!: () => void
    let tell!: () => void
    const asked = new Promise<void>((resolve) => (ask = resolve))
    const told = new Promise<void>((resolve) => (tell = resolve))
    const other = createServer((_request, response) => void told.then(() => response.end('{}')))
    other.once('request', () => ask())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const [slow, holds] = [await openMonitor(), await openMonitor()]
    writeFileSync(claimFile(), JSON.stringify({ ...slow.claim, port }))
    const late = claimFolder(folder, slow.claim)
    await asked
    // Meanwhile the next number comes and goes, and the one after it is held.
    writeFileSync(claimFile(2), '')
    rmSync(claimFile())
    await claimFolder(folder, holds.claim)
    expect(readdirSync(folder)).toEqual(['claim-3.json'])
    tell()
    await expect(late).rejects.toThrow(AlreadyWatched)
    expect(holder()).toEqual(holds.claim)
    for (const { close } of [slow, holds]) close()
    other.close()
  })
})
