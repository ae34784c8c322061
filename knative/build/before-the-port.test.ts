import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseContexts } from '../../functions/contexts.ts'
import { databaseSetting, eventKeySetting } from '../../functions/host/config.ts'
import { callKey, sealKey, signingKey } from '../../tests/support/host.ts'
import { buildOnce } from '../../tests/support/built.ts'
import { ROOT } from '../../tests/support/repository.ts'

/**
 * Runs in the process of a function, before its code. Prints the modules of Node that the function loads
 * before its port opens, except those that a bare node:http server has loaded by then. Then the process ends.
 */
const probe = `
  const { createServer, Server } = require('node:http')
  const { listen } = Server.prototype
  createServer().listen(0, '127.0.0.1', function () {
    this.close()
    const known = new Set(process.moduleLoadList)
    Server.prototype.listen = function (...given) {
      this.once('listening', () => {
        const more = process.moduleLoadList.filter((name) => /^NativeModule (?!internal)/.test(name) && !known.has(name))
        console.log(JSON.stringify(more.map((name) => name.split(' ')[1])))
        process.exit()
      })
      return listen.apply(this, given)
    }
    process.env.PORT = '0'
    require(process.env.BUNDLE)
  })`

const settings = {
  JWKS: signingKey.jwks,
  JWT_SIGNING_KEY: signingKey.privateJwk,
  REQUEST_SIGNING_KEY: 'a key that is only good for tests, no more',
  FRONT_DOOR_KEY: 'another key that is only good for tests',
  WEB_HOOK_KEY: 'a key that is only good for tests, no more',
  LINK_KEY: 'a key that is only good for tests, no more',
  SEAL_SIGNING_KEY: sealKey.privateJwks,
  SEAL_KEYS: sealKey.verifier,
  CALL_KEYS: callKey.publicJwks,
  ...callKey.settings,
  ...Object.fromEntries(
    databaseContexts.flatMap((context) => [
      [databaseSetting(context), 'postgres://none'],
      [eventKeySetting(context), 'a key that is only good for tests, no more'],
    ]),
  ),
}

const built = join(ROOT, 'dist/functions')
const folder = mkdtempSync(join(tmpdir(), 'microbank-probe-'))
let functions: string[]
beforeAll(async () => {
  await buildOnce()
  functions = readdirSync(built).flatMap((file) => /^(.+)\.cjs$/.exec(file)?.[1] ?? [])
  writeFileSync(join(folder, 'probe.cjs'), probe)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function loaded(name: string): string[] {
  const env = { PATH: process.env.PATH, ...settings, BUNDLE: join(built, `${name}.cjs`) }
  return JSON.parse(execFileSync(process.execPath, [join(folder, 'probe.cjs')], { env, encoding: 'utf8' }))
}

test('before its port opens, a function loads hardly any module of Node that a bare server does not load', () => {
  expect(functions).toContain('transfer')
  // It takes half a millisecond to load, and every request needs its clock.
  const allowed = ['perf_hooks']
  for (const name of functions)
    expect([name, loaded(name).filter((module) => !allowed.includes(module))]).toEqual([name, []])
})

/** What Node has loaded of its own after it has loaded a part of the bundles. */
const loadedWith = (part: string): string => {
  const script = `require(process.argv[1]); console.log(process.moduleLoadList.join())`
  return execFileSync(process.execPath, ['-e', script, join(built, 'lib', part)], { encoding: 'utf8' })
}

test('reports inside a cluster do not make Node load TLS, which takes 2 MB of each function', () => {
  expect(loadedWith('report.cjs')).toContain('NativeModule http,')
  expect(loadedWith('report.cjs')).not.toMatch(/NativeModule (https|tls)\b/)
})

test('the driver of the database does not make Node load its client of fetch, with all that it needs', () => {
  const list = loadedWith('open-pool.cjs')
  expect(list).toContain('NativeModule net')
  expect(list).not.toMatch(/undici|NativeModule (http2|tls)\b/)
})
