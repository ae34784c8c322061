import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import frontDoor from './front-door.ts'
import { COMPRESSED_BYTES_MIN } from './refine.ts'

/** Tags, 304 and compression of what functions answer. */

const catalogue: CatalogueEntry[] = [
  { name: 'accounts', context: 'ledger', routes: [{ method: 'GET', path: '/accounts' }] },
  { name: 'login', context: 'identity', routes: [{ method: 'POST', path: '/auth/login' }] },
]
const SMALL = '{"items":[]}'
const LARGE = JSON.stringify({ items: Array.from({ length: 300 }, (_, n) => ({ name: `account ${n}` })) })
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }

let gateway: Server
let behave: (request: IncomingMessage, response: ServerResponse) => void
let door: TestFunction

beforeAll(async () => {
  gateway = createServer((request, response) => behave(request, response))
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  door = await startFunction(frontDoor, { LOCAL_GATEWAY }, catalogue)
})

afterAll(async () => {
  await door.stop()
  gateway.closeAllConnections()
  gateway.close()
})

const says = (text: string, status = 200, headers: Record<string, string> = {}): void => {
  behave = (_request, response) => response.writeHead(status, { ...JSON_TYPE, ...headers }).end(text)
}

/** Asks, and gives the bytes as they came. */
const ask = async (headers: Record<string, string> = {}, method = 'GET') => {
  const path = method === 'POST' ? '/api/auth/login' : '/api/accounts'
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request(door.url + path, { method, headers }, resolve)
      .on('error', reject)
      .end(),
  )
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  return { status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(pieces) }
}

describe('a list', () => {
  test('that has not changed is 304, without a body and with what a 200 would have said', async () => {
    for (const text of [SMALL, LARGE]) {
      says(text)
      const first = await ask()
      const { etag } = first.headers
      expect(etag).toMatch(/^W\/"[\w-]{22}"$/)
      for (const known of [etag!, etag!.slice(2), `"other", ${etag}`, '*']) {
        const { status, headers, bytes } = await ask({ 'if-none-match': known, 'accept-encoding': 'br' })
        expect([known, status, bytes.length, headers.etag]).toEqual([known, 304, 0, etag])
        for (const name of ['cache-control', 'vary', 'x-content-type-options'])
          expect(headers[name]).toBe(first.headers[name])
        expect(headers).not.toHaveProperty('content-encoding')
      }
      says(`${text} `)
      const { status, headers, bytes } = await ask({ 'if-none-match': etag! })
      expect([status, headers.etag === etag, String(bytes)]).toEqual([200, false, `${text} `])
    }
  })

  test('is kept by no cache, whatever its tag', async () => {
    says(SMALL)
    expect((await ask()).headers['cache-control']).toBe('no-store')
  })

  test.each([
    ['a refusal', 404, {}],
    ['what is no JSON', 200, { 'content-type': 'text/csv' }],
    ['what is encoded already', 200, { 'content-encoding': 'br' }],
  ])('%s has no tag, and is left as it is', async (_what, status, headers) => {
    says(LARGE, status, headers)
    const answer = await ask({ 'if-none-match': '*', 'accept-encoding': 'gzip' })
    expect([answer.status, answer.headers.etag, String(answer.bytes)]).toEqual([status, undefined, LARGE])
  })

  test('a function’s own tag stays', async () => {
    says(SMALL, 200, { etag: '"own"' })
    expect((await ask()).headers.etag).toBe('"own"')
    expect((await ask({ 'if-none-match': 'W/"own"' })).status).toBe(304)
  })
})

describe('compression', () => {
  test.each([
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['br;q=0.2, gzip;q=0.9', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['GZIP ; Q=1.0', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=rubbish', undefined],
    ['identity', undefined],
    ['deflate', undefined],
    ['gzip;q=0, br;q=0.000', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('for Accept-Encoding %j: %s', async (accepted, coding) => {
    says(LARGE)
    const { headers, bytes } = await ask(accepted === undefined ? {} : { 'accept-encoding': accepted })
    expect([headers['content-encoding'], headers.vary]).toEqual([coding, 'accept-encoding'])
    expect(headers['content-length']).toBe(String(bytes.length))
    const text = coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes
    expect(String(text)).toBe(LARGE)
    if (coding) expect(bytes.length).toBeLessThan(LARGE.length / 3)
  })

  test('leaves what is small, what is no GET, and HEAD as they are', async () => {
    says('x'.repeat(COMPRESSED_BYTES_MIN - 1))
    const small = await ask({ 'accept-encoding': 'br' })
    expect([small.headers['content-encoding'], small.headers.vary]).toEqual([undefined, undefined])
    says(LARGE)
    const posted = await ask({ 'accept-encoding': 'br' }, 'POST')
    expect([posted.headers['content-encoding'], posted.headers.etag]).toEqual([undefined, undefined])
    expect(String(posted.bytes)).toBe(LARGE)
    expect((await ask({ 'accept-encoding': 'br' }, 'HEAD')).headers['content-encoding']).toBeUndefined()
  })

  test('makes a function’s strong tag a weak one, because the bytes are others', async () => {
    says(LARGE, 200, { etag: '"own"' })
    expect((await ask()).headers.etag).toBe('"own"')
    expect((await ask({ 'accept-encoding': 'gzip' })).headers.etag).toBe('W/"own"')
  })

  test('keeps a function’s Vary', async () => {
    says(LARGE, 200, { vary: 'accept' })
    expect((await ask()).headers.vary).toBe('accept, accept-encoding')
  })

  test('a client that leaves meanwhile takes no connection from others', async () => {
    says(LARGE)
    for (let n = 0; n < 20; n++) {
      const leaving = request(`${door.url}/api/accounts`, { headers: { 'accept-encoding': 'br' } })
      leaving.on('error', () => undefined).end()
      const staying = ask({ 'accept-encoding': 'br' })
      leaving.destroy()
      expect((await staying).status).toBe(200)
    }
  })
})
