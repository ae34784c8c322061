import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { processState } from '../../tests/support/process-state.ts'
import { until } from '../../tests/support/until.ts'
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
