import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { MailServer } from '../../functions/notifications/testing/mail-server.ts'
import type { Bank } from '../support/bank.ts'
import { registerCustomer } from '../support/customers.ts'
import { signal } from '../support/signal.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Messages of a whole bank: from a customer's log-in to a mail server. */

let bank: Bank
let server: MailServer

export function messages(one: () => OneBank): void {
  beforeAll(async () => {
    server = one().mail
    bank = one().bank
  })

  interface StoredMessage {
    id: string
    status: string
    attempts: number
    unfinished: number
  }

  /** The messages to a user about their log-ins. */
  const messagesOf = (userId: string) =>
    bank.sql<StoredMessage>(
      'notifications',
      `select id, status, attempts, (select count(*)::integer from message_attempts
        where message_id = m.id and finished_at is null) as unfinished
      from messages m
      where user_id = '${userId}' and notification_id in (
        select id from notifications where event_type = 'session.started')`,
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
    // The mail server had taken the first one too: this is what SMTP can't promise, and why the id is the
    // same.
    expect(mailsOf(first!)).toHaveLength(2)
    expect(await messagesOf(bob.id)).toMatchObject([{ status: 'sent', attempts: 2, unfinished: 1 }])
  })

  const post = (path: string, body: object) => bank.call('POST', `/api/auth/${path}`, { body })

  /** Lets the events of a context that a killed process left be due, and has a sweep publish them. */
  async function sweep(context: 'identity' | 'notifications'): Promise<void> {
    await bank.sql(context, 'update outbox_pending set claimed_until = now()')
    await bank.ping(`sweep-${context}`)
  }

  test('mailed links confirm an address and replace a password, also if all processes are killed; no token stays', async () => {
    const email = `${randomUUID()}@example.com`
    const { id } = (await post('register', { name: 'Carl', email, password: 'three blue herons' })).body
    const confirmation = await server.tokenTo(email, 'confirm-email')
    expect((await post('email/confirm', { token: confirmation })).status).toBe(204)
    const session = await post('login', { email, password: 'three blue herons' })
    const shown = await bank.call('GET', `/api/users/${id}`, { token: session.body.access_token })
    expect(shown.body.email_confirmed_at).toEqual(expect.any(String))

    expect((await post('password-resets', { email })).status).toBe(202)
    signal(bank.functionPids(), 'SIGKILL')
    await sweep('identity')
    await until(
      async () => {
        const asked = await bank.sql(
          'notifications',
          `select from notifications
        where user_id = '${id}' and event_type = 'password.reset-requested'`,
        )
        return asked.length > 0
      },
      { what: 'the notification' },
    )
    signal(bank.functionPids(), 'SIGKILL')
    await bank.sql(
      'notifications',
      `update messages set next_attempt_at = now(), wake_at = now() where status = 'stored'`,
    )
    await sweep('notifications')
    const reset = await server.tokenTo(email, 'new-password')
    const chosen = { token: reset, new_password: 'four grey herons' }
    const answer = await until(async () =>
      post('password-resets/confirm', chosen).then((got) => got.status < 500 && got),
    )
    expect(answer.status).toBe(204)
    expect((await post('password-resets/confirm', chosen)).body.type).toMatch(/link-not-valid$/)
    expect((await post('refresh', { refresh_token: session.body.refresh_token })).status).toBe(401)
    expect((await post('login', { email, password: 'three blue herons' })).status).toBe(401)
    expect((await post('login', { email, password: 'four grey herons' })).status).toBe(200)

    const stored = await Promise.all(
      ['identity', 'notifications'].map(async (context) => {
        const tables = await bank.sql<{ name: string }>(
          context,
          `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
        )
        return Promise.all(
          tables.map(({ name }) => bank.sql(context, `select to_jsonb(t)::text from ${name} t`)),
        )
      }),
    )
    const everything = JSON.stringify(stored) + bank.output()
    expect(everything).toContain(email)
    for (const token of [confirmation, reset]) {
      expect(everything).not.toContain(token.slice(22))
      // Exits with 1 if no file has it. A token may begin with a dash.
      const options = ['-rlF', '--binary-files=text']
      const search = () =>
        execFileSync('grep', [...options, '-e', token.slice(22), join(bank.dataDir, 'logs')], {
          stdio: 'pipe',
        })
      expect(search).toThrow(expect.objectContaining({ status: 1 }))
    }
  })
}
