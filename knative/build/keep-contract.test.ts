import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** npm run keep-contract, in a folder with the files that it reads. */

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keep-contract-'))
  for (const folder of ['functions/web', 'tests/released']) mkdirSync(join(root, folder), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

const write = (path: string, value: object) => writeFileSync(join(root, path), JSON.stringify(value))

function bank(version: string, documents: string = version) {
  write('package.json', { version })
  for (const name of ['openapi', 'asyncapi'])
    write(`functions/web/${name}.json`, { is: name, info: { version: documents } })
}

function keep() {
  const script = join(__dirname, 'keep-contract.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
  return { status, stderr }
}

const kept = () =>
  Object.fromEntries(
    readdirSync(join(root, 'tests/released')).map((name) => {
      const { is, info } = JSON.parse(readFileSync(join(root, 'tests/released', name), 'utf8')) as {
        is: string
        info: { version: string }
      }
      return [name, `${is} ${info.version}`]
    }),
  )

const of = (version: string) => ({
  'openapi.json': `openapi ${version}`,
  'asyncapi.json': `asyncapi ${version}`,
})

test('the contract of the first version is kept, and then that of each newer one', () => {
  for (const version of ['0.9.0', '0.10.0', '1.0.0']) {
    bank(version)
    expect(keep()).toEqual({ status: 0, stderr: '' })
    expect(kept()).toEqual(of(version))
  }
})

test.each(['0.10.0', '0.9.1'])('of %s, which is no newer than the kept one, it is not', (version) => {
  bank('0.10.0')
  keep()
  bank(version)
  const { status, stderr } = keep()
  expect(status).toBe(1)
  expect(stderr).toContain(`The contract of 0.10.0 is kept already, and package.json says ${version}.`)
  expect(kept()).toEqual(of('0.10.0'))
})

test('documents of another version are not kept', () => {
  bank('0.2.0', '0.1.0')
  const { status, stderr } = keep()
  expect(status).toBe(1)
  expect(stderr).toContain('Run `npm run openapi` first.')
  expect(kept()).toEqual({})
})
