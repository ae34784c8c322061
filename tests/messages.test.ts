import { startMailServer, type MailServer } from '../functions/notifications/testing/mail-server.ts'
import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer } from './support/customers.ts'
import { signal } from './support/signal.ts'
import { until } from './support/until.ts'

/** Messages of a whole bank: from a customer's log-in to a mail server. */

let bank: Bank
let server: MailServer

beforeAll(async () => {
  server = await startMailServer()
  bank = await startBank({
    env: {
      MESSAGE_CHANNELS: 'email',
      SMTP_URL: `smtp://bank:p%40ss%3Aword@localhost:${server.port}`,
      SMTP_CA: server.ca,
    },
  })
})

afterAll(async () => {
  await bank?.stop()
  await server?.stop()
})

interface StoredMessage {
  id: string
  status: string
  attempts: number
  unfinished: number
}

const messagesOf = (userId: string) =>
  bank.sql<StoredMessage>(
    'notifications',
    `select id, status, attempts, (select count(*)::integer from message_attempts
        where message_id = m.id and finished_at is null) as unfinished
      from messages m where user_id = '${userId}'`,
  )

const mailsOf = ({ id }: StoredMessage) =>
  server.mails.filter(({ mail }) => mail.messageId === `<${id}@microbank.localhost>`)

test('a log-in is mailed over TLS; a process killed while it sends loses nothing', async () => {
  const ada = await registerCustomer(bank)
  const [sent] = await until(async () => {
    const messages = await messagesOf(ada.id)
    return messages[0]?.status === 'sent' && messages
  })
  expect(sent).toMatchObject({ attempts: 1, unfinished: 0 })
  expect(mailsOf(sent!)).toMatchObject([{ isEncrypted: true, mail: { subject: 'New log-in' } }])

  server.isSilent = true
  const bob = await registerCustomer(bank)
  const [first] = await until(async () => {
    const messages = await messagesOf(bob.id)
    return messages[0] && mailsOf(messages[0]).length > 0 && messages
  })
  signal(bank.functionPids(), 'SIGKILL')
  server.isSilent = false
  expect(await messagesOf(bob.id)).toMatchObject([{ status: 'stored', attempts: 1, unfinished: 1 }])
  await bank.sql(
    'notifications',
    `update messages set next_attempt_at = now(), wake_at = now() where id = '${first!.id}'`,
  )
  await bank.ping('sweep-notifications')
  await until(async () => (await messagesOf(bob.id))[0]!.status === 'sent', { what: 'the second attempt' })
  // The mail server had taken the first one too: this is what SMTP can't promise, and why the id is the same.
  expect(mailsOf(first!)).toHaveLength(2)
  expect(await messagesOf(bob.id)).toMatchObject([{ status: 'sent', attempts: 2, unfinished: 1 }])
})
