import { mailList, mailText } from './mail-text.ts'

const mail = {
  date: new Date('2026-01-05T09:30:00Z'),
  to: 'ada@example.com',
  subject: 'Choose a new password',
  text: 'Hello,\n\nplease choose.\n',
}
const TOKEN = 'A'.repeat(63) + '_'
const URL = 'http://localhost:8080'

test('mails are listed with their numbers, and how many more there are', () => {
  const list = mailList([mail, { ...mail, subject: 'Second' }], 7)
  expect(list).toMatch(/^ {3}1 {2}2026-01-05 09:30:00 {2}ada@example.com\n +Choose a new password\n {3}2 /)
  expect(list).toContain('and 5 older')
})

test('a mail with a link says how to use it with curl', () => {
  const withLink = (page: string) =>
    mailText({ ...mail, text: `Here:\n${URL}/${page}#token=${TOKEN}\n` }, URL)
  expect(withLink('new-password')).toContain(
    `curl -i ${URL}/api/auth/password-resets/confirm -H 'Content-Type: application/json' \\\n    -d '{"token":"${TOKEN}","new_password":"three blue herons"}'`,
  )
  expect(withLink('confirm-email')).toContain(`/api/auth/email/confirm`)
  for (const text of [
    mail.text,
    `${URL}/new-password#token=';rm -rf'`,
    `${URL}/new-password#token=${TOKEN}A`,
  ])
    expect(mailText({ ...mail, text }, URL)).not.toContain('curl')
})

test('a mail can’t command the terminal', () => {
  const [esc, bell] = ['\u001b', '\u0007']
  const evil = `${esc}]0;x${bell}${esc}[2J`
  const shown =
    mailText({ ...mail, subject: evil, to: evil, text: evil }, URL) + mailList([{ ...mail, to: evil }], 1)
  expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})
