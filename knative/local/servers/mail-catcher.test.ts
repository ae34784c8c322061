import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { caughtMails, mailFolder, startMail } from './mail-catcher.ts'

let dataDir: string
let mail: NonNullable<Awaited<ReturnType<typeof startMail>>>

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-mail-'))
  mail = (await startMail({ env: {}, dataDir }))!
})

afterAll(async () => {
  await mail.stop()
  rmSync(dataDir, { recursive: true })
})

const folder = () => mailFolder(dataDir)
const newest = () => readFileSync(join(folder(), caughtMails(folder())[0]!), 'utf8')

const send = (text: string, to = 'ada@example.com') =>
  createTransport(mail.url).sendMail({ from: 'bank@example.com', to, subject: 'Hello', text })

test('keeps what is sent, for the owner of the data folder alone', async () => {
  const { response } = await send('The first one.')
  expect(response).toMatch(/^250 /)
  expect(newest()).toContain('The first one.')
  expect(
    [folder(), join(folder(), caughtMails(folder())[0]!)].map((path) => statSync(path).mode & 0o77),
  ).toEqual([0, 0])
})

test('keeps at most 200 mails, the newest', async () => {
  for (let i = 0; i < 250; i++) writeFileSync(join(folder(), `00000000000${1000 + i}-0.eml`), 'old')
  await send('The newest one.')
  expect(caughtMails(folder())).toHaveLength(200)
  expect(newest()).toContain('The newest one.')
})

test('refuses a mail that is too large, and keeps nothing of it', async () => {
  const before = readdirSync(folder())
  await expect(send('x'.repeat(300 * 1024))).rejects.toMatchObject({ responseCode: 552 })
  expect(readdirSync(folder())).toEqual(before)
})

test('a client that leaves in the middle does no harm', async () => {
  const { port } = new URL(mail.url)
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.resetAndDestroy())
    socket.once('close', () => resolve())
  })
  expect((await send('After that.')).response).toMatch(/^250 /)
})

test('listens on this machine alone', () => {
  expect(new URL(mail.url).hostname).toBe('127.0.0.1')
})

test.each([{ SMTP_URL: 'smtps://mail.example' }, { MESSAGE_CHANNELS: '' }, { MESSAGE_CHANNELS: 'sms,push' }])(
  'is not there with %j',
  async (env) => {
    const other = join(dataDir, 'other')
    expect(await startMail({ env, dataDir: other })).toBeUndefined()
    expect(existsSync(other)).toBe(false)
  },
)
