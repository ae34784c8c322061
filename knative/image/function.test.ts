import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { read } from '../../tests/support/repository.ts'

/** A folder with the image's program and two functions that print their names. */
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-image-'))
  mkdirSync(join(folder, 'functions/lib'), { recursive: true })
  cpSync('knative/image/function.cjs', join(folder, 'function.cjs'))
  for (const name of ['transfer', 'open-account'])
    writeFileSync(join(folder, `functions/${name}.cjs`), `console.log(${JSON.stringify(name)})`)
})

afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'function.cjs'), ...args])
  return { status, stdout: String(stdout), stderr: String(stderr) }
}

test('the image starts the function that the Service names', () => {
  expect(run('open-account')).toMatchObject({ status: 0, stdout: 'open-account\n' })
})

test.each([[], ['lib'], ['../function'], ['transfer.cjs'], ['toString']])(
  'it starts nothing else (%s), and lists the functions',
  (...args) => {
    const { status, stdout, stderr } = run(...args)
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' })
    expect(stderr).toMatch(/there are: open-account, transfer\n$/)
  },
)

test('A12: the Dockerfile copies what the image needs, and starts the program that the manifests expect', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?:--from=bundles \/build\/)?(\S+)/gm)].map(
    ([, path]) => path,
  )
  expect(copied).toEqual(expect.arrayContaining(['package.json', 'dist', 'knative/build/compile-cache.mjs']))
  expect(read('Dockerfile')).toMatch(/^USER 1000:1000$/m)
  expect(read('Dockerfile')).toMatch(/^ENTRYPOINT \["node", "dist\/function.cjs"\]$/m)
})
