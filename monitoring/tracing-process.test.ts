import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildOnce } from '../tests/support/built.ts'
import { until } from '../tests/support/until.ts'
import { withBundle } from './bundle-fixture.ts'
import { startCollector, type Collector } from './collector-fixture.ts'

/** Bundles as they ship, in processes of their own: which files they load, and which spans they send before
 * they end. */

let folder: string
let collector: Collector

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-loaded-'))
  await buildOnce()
  writeFileSync(join(folder, 'at-exit.cjs'), AT_EXIT)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeEach(async () => {
  collector = await startCollector()
})

afterEach(() => collector.close())

/** A script that records which files were loaded. */
const AT_EXIT = `process.on('exit', () => {
  require('node:fs').writeFileSync(process.env.LOADED, Object.keys(require.cache).join('\\n'))
})`

/** Starts the function `accounts`, requests `path`, and stops it with SIGTERM at once. */
async function run(path: string, env: Record<string, string>): Promise<{ status: number; loaded: string }> {
  const LOADED = join(folder, `loaded-${randomUUID()}`)
  const options = ['-r', join(folder, 'at-exit.cjs')]
  const { status } = await withBundle('accounts', { options, env: { ...env, LOADED } }, (ask) =>
    until(() => ask(path)),
  )
  return { status, loaded: readFileSync(LOADED, 'utf8') }
}

const OTLP = 'functions/lib/otlp.cjs'

test('a process that gets SIGTERM sends its spans before it ends', async () => {
  const { status, loaded } = await run('/accounts', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint })
  expect(status).toBe(401)
  expect(collector.spans).toMatchObject([{ name: 'GET /accounts', resource: { 'service.name': 'accounts' } }])
  expect(loaded).toContain(OTLP)
})

test('the export’s libraries are not loaded before there is a span', async () => {
  const { status, loaded } = await run('/healthz', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint })
  expect(status).toBe(200)
  expect(loaded).not.toContain(OTLP)
})

test('without the setting no library is loaded and no span is sent', async () => {
  const { status, loaded } = await run('/accounts', {})
  expect(status).toBe(401)
  expect(loaded).toContain('functions/accounts.cjs')
  expect(loaded).not.toContain(OTLP)
})
