import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailFolder } from '../../knative/local/servers/mail-catcher.ts'
import { openMailDoor } from '../../knative/local/servers/mail-door.ts'
import { createLog } from '../../monitoring/log.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import platform from './platform.ts'

/** The emails that a laptop catches, through the runtime's own door. */

const KEY = 'a key of the runtime'
const ID = '000000000000002-a'
const RICH = '000000000000001-b'
let dataDir: string
let gateway: http.Server
let door: RequestListener
let LOCAL_GATEWAY: string
let asOperator: string
const running: TestFunction[] = []

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-mails-'))
  mkdirSync(mailFolder(dataDir))
  const mail = 'From: a@example.com\r\nTo: b@example.com\r\nSubject: <b>Hi</b>\r\n\r\nHello'
  writeFileSync(join(mailFolder(dataDir), `${ID}.eml`), mail)
  const rich = mail.replace('\r\n\r\nHello', '\r\nContent-Type: text/html\r\n\r\n<p style="color:red">Hello')
  writeFileSync(join(mailFolder(dataDir), `${RICH}.eml`), rich)
  gateway = http.createServer((request, response) => door(request, response))
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
afterAll(async () => {
  await Promise.all(running.map((each) => each.stop()))
  gateway.closeAllConnections()
  gateway.close()
  rmSync(dataDir, { recursive: true })
})

const opened = (key: string, catches: boolean): RequestListener =>
  openMailDoor({ key, dataDir, catches, log: createLog({}, 'error') })

async function ask(path: string, env: Record<string, string>, as = asOperator) {
  const started = await startFunction(platform, env)
  running.push(started)
  return started.request('GET', path, { token: as })
}

test('an operator lists them and reads one as text', async () => {
  door = opened(KEY, true)
  const env = { LOCAL_GATEWAY, MAIL_KEY: KEY }
  const { body } = await ask('/platform/mails', env)
  expect(body).toEqual({
    ...{ why_not: null, total: 2 },
    items: [ID, RICH].map((id) => ({
      ...{ id, at: expect.any(String), to: 'b@example.com', subject: '<b>Hi</b>' },
    })),
  })
  expect((await ask(`/platform/mails/${ID}`, env)).body).toMatchObject({
    ...{ text: 'Hello', has_html: false, attachments: [] },
  })
  expect((await ask('/platform/mails/2-b', env)).status).toBe(404)
  expect((await ask('/platform/mails/..%2Fsecrets', env)).status).toBe(404)
  const asCustomer = await token({ userId: randomUUID() })
  for (const path of ['/platform/mails', `/platform/mails/${ID}`, `/platform/mails/${RICH}/html`])
    expect((await ask(path, env, asCustomer)).status).toBe(403)
})

test('its HTML comes as it is, with a policy under which it can only be looked at', async () => {
  door = opened(KEY, true)
  const env = { LOCAL_GATEWAY, MAIL_KEY: KEY }
  expect((await ask(`/platform/mails/${RICH}`, env)).body).toMatchObject({ text: 'Hello', has_html: true })
  const { status, body, headers } = await ask(`/platform/mails/${RICH}/html`, env)
  expect([status, body]).toEqual([200, '<p style="color:red">Hello'])
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none';.*frame-ancestors 'self'; sandbox$/,
  )
  expect((await ask(`/platform/mails/${ID}/html`, env)).status).toBe(404)
})

test.each([
  ['on a cluster', 'cluster', {}],
  ['where other machines reach the bank', 'open-to-network', { LOCAL_GATEWAY: 'here' }],
  ['where they are sent on', 'sent-on', { LOCAL_GATEWAY: 'here', MAIL_KEY: KEY }],
])('%s it says so, and has none', async (_where, whyNot, given) => {
  door = opened(KEY, false)
  const env = { ...given, ...('LOCAL_GATEWAY' in given && { LOCAL_GATEWAY }) }
  expect((await ask('/platform/mails', env)).body).toEqual({ why_not: whyNot, items: [], total: 0 })
})

test('the runtime tells nobody without its secret', async () => {
  door = opened('another key', true)
  const answer = await ask('/platform/mails', { LOCAL_GATEWAY, MAIL_KEY: KEY })
  expect([answer.status, answer.body.items]).toEqual([503, undefined])
})
