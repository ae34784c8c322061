import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailFolder } from './mail-catcher.ts'
import { listMails, readMail } from './read-mails.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'microbank-mails-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const HEAD = [
  'From: Bank <bank@example.com>',
  'To: ada@example.com',
  'Date: Mon, 05 Jan 2026 09:30:00 +0000',
].join('\r\n')

const keep = (id: string, rest: string): void => {
  mkdirSync(mailFolder(dataDir), { recursive: true })
  writeFileSync(join(mailFolder(dataDir), `${id}.eml`), `${HEAD}\r\n${rest}`)
}

test('the newest are listed first, by their heads, up to a limit', async () => {
  keep('000000000000001-a', 'Subject: First\r\n\r\nHello')
  keep('000000000000002-b', 'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello')
  keep('000000000000003-c', '\r\nNo subject')
  const { mails, total } = await listMails(dataDir, 2)
  const all = { date: new Date('2026-01-05T09:30:00Z'), to: 'ada@example.com' }
  expect({ mails, total }).toEqual({
    mails: [
      { id: '000000000000003-c', subject: '', ...all },
      { id: '000000000000002-b', subject: 'Grüße', ...all },
    ],
    total: 3,
  })
})

test('a bank that has sent nothing has none', async () => {
  expect(await listMails(dataDir, 5)).toEqual({ mails: [], total: 0 })
})

test('one is read as its plain text, with what is attached by name', async () => {
  keep(
    '1-a',
    [
      'Subject: Hello',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Dear Ada=CC=81, =3Cb=3Ebye=3C/b=3E',
      '--x',
      'Content-Type: application/pdf',
      'Content-Disposition: attachment; filename="../statement.pdf"',
      '',
      '%PDF',
      '--x--',
    ].join('\r\n'),
  )
  const mail = await readMail(dataDir, '1-a')
  expect(mail).toMatchObject({
    ...{ from: '"Bank" <bank@example.com>', to: 'ada@example.com', subject: 'Hello' },
    attachments: [{ name: '../statement.pdf', mediaType: 'application/pdf', bytes: 4 }],
  })
  expect(mail!.text.trim()).toBe('Dear Ada\u0301, <b>bye</b>')
})

test.each(['2-b', '../1-a', '1-a.eml', '1-a/../1-a', ''])('there is no mail %j', async (id) => {
  keep('1-a', 'Subject: Hello\r\n\r\nHello')
  expect(await readMail(dataDir, id)).toBeUndefined()
})
