import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createUiFiles } from './page-files.ts'
import { PAGE_POLICY } from './security-headers.ts'

/** The files of the pages, from a folder like the one that the build writes. */

let folder: string
let server: Server
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-ui-'))
  const give = createUiFiles(folder)
  server = createServer((request, response) => void give(request, response, request.url!.slice(1)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64')

/** Writes files as the build does: the page comes last. */
function build(names = ['assets/app-1.js', 'made-of', 'index.html']): void {
  mkdirSync(join(folder, 'assets'), { recursive: true })
  for (const name of names) {
    writeFileSync(join(folder, name), `plain ${name}`)
    writeFileSync(join(folder, `${name}.gz`), `gzip ${name}`)
  }
}

const ask = (name: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`, {
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
  })

test('the page is asked for anew each time, and is not sent to those who have it', async () => {
  build()
  const { status, headers } = await ask('index.html')
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-cache'])
  expect(headers.get('content-security-policy')).toBe(PAGE_POLICY)
  const again = await ask('index.html', { 'if-none-match': headers.get('etag')! })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('what has a hash in its name may be kept for ever, and comes compressed if the client wants that', async () => {
  build()
  const answer = await ask('assets/app-1.js')
  expect(await answer.text()).toBe('plain assets/app-1.js')
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  const { headers } = await ask('assets/app-1.js', { 'accept-encoding': 'gzip' }, 'HEAD')
  expect([headers.get('content-encoding'), headers.get('vary')]).toEqual(['gzip', 'accept-encoding'])
})

test('there is nothing outside the folder, and nothing is changed', async () => {
  build()
  symlinkSync('/etc/hosts', join(folder, 'assets/link-1.js'))
  const names = ['assets/none.js', 'assets/..%2findex.html', 'assets', 'assets/', '%2e%2e/secret']
  for (const name of [...names, 'assets/link-1.js', 'assets//app-1.js', 'assets/app-1.js%00'])
    expect([name, (await ask(name)).status]).toEqual([name, 404])
  expect((await ask('index.html', {}, 'POST')).status).toBe(405)
})

test('until the pages are built, a browser is told to come back, and then gets them', async () => {
  const early = await ask('index.html')
  expect([early.status, early.headers.get('refresh')]).toEqual([503, '1'])
  expect(early.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const text = await early.text()
  expect(text).toContain('<h1>The pages are being built</h1>')
  // The policy allows the style of the page, and no other.
  const style = /<style>([^]*)<\/style>/.exec(text)![1]!
  const { headers } = early
  expect(headers.get('content-security-policy')).toContain(`style-src 'sha256-${sha256(style)}';`)
  const file = await ask('assets/app-1.js')
  expect([file.status, file.headers.get('content-type')]).toEqual([503, 'application/problem+json'])
  build()
  expect((await ask('index.html')).status).toBe(200)
})

test('a request amid the first build finds the page once it is there', async () => {
  build(['assets/app-1.js'])
  expect((await ask('index.html')).status).toBe(503)
  build(['index.html'])
  expect((await ask('index.html')).status).toBe(200)
})

test('a new build is given without a new start', async () => {
  build()
  expect(await (await ask('index.html')).text()).toBe('plain index.html')
  build(['assets/app-2.js'])
  writeFileSync(join(folder, 'index.html'), 'names app-2.js')
  expect(await (await ask('index.html')).text()).toBe('names app-2.js')
  expect((await ask('assets/app-2.js')).status).toBe(200)
})
