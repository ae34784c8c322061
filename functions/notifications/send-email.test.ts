import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { emailChanged } from '../../eventing/contracts/email.changed.ts'
import { emailConfirmed } from '../../eventing/contracts/email.confirmed.ts'
import { messageDue } from '../../eventing/contracts/message.due.ts'
import { passwordResetRequested } from '../../eventing/contracts/password.reset-requested.ts'
import { sessionStarted } from '../../eventing/contracts/session.started.ts'
import { transactionCompleted } from '../../eventing/contracts/transaction.completed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { LINK_KEY, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { linkToken } from '../host/link-token.ts'
import keepContacts from './keep-contacts.ts'
import notifications from './notifications.ts'
import notifyUser from './notify-user.ts'
import notify from './notify.ts'
import sendEmail from './send-email.ts'
import sweep from './sweep-notifications.ts'
import { deliverExample, deliverTick } from '../../tests/support/events.ts'
import { startMailServer, type MailServer } from './testing/mail-server.ts'

let database: TestDatabase
let server: MailServer
let env: Record<string, string>
let contacts: TestFunction
let money: TestFunction
let others: TestFunction
let sender: TestFunction
let reader: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  server = await startMailServer()
  env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    MESSAGE_CHANNELS: 'email',
    MAIL_FROM: 'Microbank <no-reply@bank.example>',
    ...server.settings,
  }
  contacts = await startFunction(keepContacts, env)
  money = await startFunction(notify, env)
  others = await startFunction(notifyUser, env)
  sender = await startFunction(sendEmail, env)
  reader = await startFunction(notifications, env)
})

afterAll(async () => {
  for (const each of [contacts, money, others, sender, reader]) await each.stop()
  await server.stop()
  await database.drop()
})

const query = <Row extends object>(text: string, ...values: unknown[]) =>
  sender.tools.db.query<Row>({ text, values })

/** Registers a user, and resolves with their id. */
async function user(
  name = 'Ada',
  email = `${randomUUID()}@example.com`,
): Promise<{ id: string; email: string }> {
  const id = randomUUID()
  await deliverExample(contacts, userRegistered, { user_id: id, name, email })
  return { id, email }
}

interface Stored {
  id: string
  notification_id: string
  channel: 'email'
  status: string
  attempts: number
}

const messagesOf = (userId: string): Promise<Stored[]> =>
  query<Stored>(
    `select id, notification_id, channel, status, attempts from messages where user_id = $1 order by id`,
    userId,
  )

/** Delivers message.due of each message of a user. Resolves with the statuses. */
async function deliverDue(userId: string, by = sender): Promise<number[]> {
  const statuses = []
  for (const { id, notification_id: notificationId, channel } of await messagesOf(userId)) {
    const data = { message_id: id, notification_id: notificationId, user_id: userId, channel }
    statuses.push((await deliverExample(by, messageDue, data)).status)
  }
  return statuses
}

const mailsTo = (email: string) =>
  server.mails.filter(({ to }) => to.some((address) => address.startsWith(`${email.split('@')[0]}@`)))

const logIn = (userId: string) => deliverExample(others, sessionStarted, { user_id: userId })

/** Makes the messages of a user due, as if time had passed. */
const letTimePass = (userId: string) =>
  query(`update messages set next_attempt_at = now(), wake_at = now() where user_id = $1`, userId)

const endsOf = (userId: string) =>
  query<{ type: string; data: { attempts: number } }>(
    `select type, data from events where type in ('notification.sent', 'notification.failed') and partitionkey = $1`,
    userId,
  )

test('a log-in is told by email over TLS, in plain text and HTML, once however often its event comes', async () => {
  const ada = await user('Ada "the <b>Countess</b>" King')
  expect((await logIn(ada.id)).status).toBe(204)
  expect(await deliverDue(ada.id)).toEqual([204])
  expect(await deliverDue(ada.id)).toEqual([204])
  const [sent, ...more] = mailsTo(ada.email)
  expect(more).toEqual([])
  const { mail, isEncrypted, from } = sent!
  expect([isEncrypted, from]).toEqual([true, 'no-reply@bank.example'])
  expect(mail.subject).toBe('New log-in')
  expect(mail.text).toContain('Hello Ada "the <b>Countess</b>" King,')
  expect(mail.text).toContain('on Aug 1, 2026, 9:31 AM UTC from 192.0.2.7.')
  expect(mail.html).toContain('Hello Ada &quot;the &lt;b&gt;Countess&lt;/b&gt;&quot; King,')
  expect(mail.html).not.toContain('<b>')
  const [message] = await messagesOf(ada.id)
  expect(mail.messageId).toBe(`<${message!.id}@bank.example>`)
  expect(message).toMatchObject({ status: 'sent', attempts: 1 })
  expect(await endsOf(ada.id)).toMatchObject([{ type: 'notification.sent', data: { attempts: 1 } }])
})

test('the event of a message is that which a sweep would derive', async () => {
  const ada = await user()
  await logIn(ada.id)
  const [message] = await messagesOf(ada.id)
  expect(
    await query(
      `select type, subject, extensions, data->>'message_id' as id from events where subject = $1`,
      message!.id,
    ),
  ).toEqual([
    { type: 'message.due', subject: message!.id, extensions: { channel: 'email' }, id: message!.id },
  ])
})

test('a user who chose German is written to in German, and reads German in the list', async () => {
  const ada = await user()
  await query(
    `insert into preferences (user_id, language, choices) values ($1, 'de', '{"transaction.completed":{"email":true}}')`,
    ada.id,
  )
  await deliverExample(money, transactionCompleted, { user_id: ada.id })
  await deliverDue(ada.id)
  const [{ mail }] = mailsTo(ada.email) as [MailServer['mails'][number]]
  expect(mail.subject).toBe('Einzahlung ausgeführt')
  const text = 'Einzahlung von 200,00\u00a0$ ausgeführt. Neuer Kontostand: 900,00\u00a0$'
  expect(mail.text).toContain(text)
  expect(await query(`select message from notifications where user_id = $1`, ada.id)).toEqual([
    { message: text },
  ])
})

test('without a choice, money that moves is not mailed, and there is no message', async () => {
  const ada = await user()
  await deliverExample(money, transactionCompleted, { user_id: ada.id })
  expect(await messagesOf(ada.id)).toEqual([])
})

test('a changed email address is told to the old and to the new one', async () => {
  const ada = await user()
  const [before, after] = [`${randomUUID()}@old.example`, `${randomUUID()}@new.example`]
  await deliverExample(others, emailChanged, { user_id: ada.id, old_email: before, new_email: after })
  expect(await deliverDue(ada.id)).toEqual([204, 204])
  expect([mailsTo(before).length, mailsTo(after).length, mailsTo(ada.email).length]).toEqual([1, 1, 0])
})

test('names and addresses can’t add headers or recipients, nor turn the direction of writing', async () => {
  const bad = 'Eve\r\nBcc: mallory@evil.example\r\n\r\n\u202eevil\u2066 <mallory@evil.example>, x'
  const eve = await user(bad + 'x'.repeat(5000))
  await logIn(eve.id)
  await deliverDue(eve.id)
  const [{ mail, raw, to }] = mailsTo(eve.email) as [MailServer['mails'][number]]
  expect(to).toEqual([eve.email])
  expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).not.toMatch(/^bcc:/im)
  expect(
    (Array.isArray(mail.to) ? mail.to : [mail.to!]).flatMap(({ value }) =>
      value.map(({ address }) => address),
    ),
  ).toEqual([eve.email])
  expect(`${mail.text}${mail.html as string}`).not.toMatch(/[\u202e\u2066]/)
  expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThan(999)

  for (const address of [
    'a@b.example\r\nRCPT TO:<mallory@evil.example>',
    '"a b"@b.example',
    'a@b.example, c@d.example',
    'ä@b.example',
    '<a@b.example>',
  ]) {
    const one = await user('Eve', address)
    await logIn(one.id)
    await deliverDue(one.id)
    expect([address, (await messagesOf(one.id))[0]!.status]).toEqual([address, 'failed'])
  }
  const idn = await user('Eve', `${randomUUID()}@xn--bcher-kva.example`)
  await logIn(idn.id)
  await deliverDue(idn.id)
  expect(mailsTo(idn.email)).toHaveLength(1)
  expect(server.mails.flatMap(({ to }) => to).join()).not.toContain('mallory')
})

test('a mail that is refused now is sent later; one that is refused for good is not tried again', async () => {
  const [ada, bob] = [await user(), await user()]
  server.refusals.push({ at: 'data', code: 451, text: 'greylisted' })
  await logIn(ada.id)
  // The Broker tries again soon.
  expect(await deliverDue(ada.id)).toEqual([503])
  expect(await deliverDue(ada.id)).toEqual([204])
  expect(mailsTo(ada.email)).toHaveLength(1)

  server.refusals.push({ at: 'recipient', code: 550, text: 'no such user\u202e here' })
  await logIn(bob.id)
  expect(await deliverDue(bob.id)).toEqual([204])
  expect(await deliverDue(bob.id)).toEqual([204])
  expect(mailsTo(bob.email)).toEqual([])
  expect(await endsOf(bob.id)).toMatchObject([{ type: 'notification.failed' }])

  const [{ notification_id: id }] = (await messagesOf(bob.id)) as [Stored]
  const read = async (userId: string, role: 'customer' | 'operator') =>
    (await reader.request('GET', `/notifications/${id}`, { token: await token({ userId, role }) })).body
  const attempt = { started_at: expect.any(String), finished_at: expect.any(String), outcome: 'failed' }
  const shown = { channel: 'email', status: 'failed', next_attempt_at: null }
  expect((await read(bob.id, 'operator')).messages).toMatchObject([
    { ...shown, attempts: [{ ...attempt, answer: expect.stringContaining('no such user here') }] },
  ])
  expect((await read(bob.id, 'customer')).messages).toMatchObject([
    { ...shown, attempts: [{ ...attempt, answer: null }] },
  ])
  expect((await read(ada.id, 'customer')).messages).toBeUndefined()
})

test('while the mail server hangs or is away, messages wait; a sweep wakes them when they are due', async () => {
  const ada = await user()
  await logIn(ada.id)
  const silent = await listen((socket) => socket.on('error', () => {}))
  const hanging = await startFunction(sendEmail, {
    ...env,
    SMTP_URL: `smtp://localhost:${portOf(silent)}`,
    MESSAGE_TIMEOUT_MS: '300',
  })
  const away = await startFunction(sendEmail, { ...env, SMTP_URL: 'smtp://localhost:9' })
  try {
    expect(await deliverDue(ada.id, hanging)).toEqual([503])
    expect(await deliverDue(ada.id, away)).toEqual([503])
    // From the third attempt on the Broker is not kept busy.
    expect(await deliverDue(ada.id, away)).toEqual([204])
    expect(await deliverDue(ada.id)).toEqual([204])
    expect(mailsTo(ada.email)).toEqual([])
    const [message] = await messagesOf(ada.id)
    expect(message).toMatchObject({ status: 'stored', attempts: 3 })

    await query(`delete from outbox_pending`)
    expect(await wake(ada.id)).toBe(0)
    await letTimePass(ada.id)
    expect(await wake(ada.id)).toBe(1)
    // However long the queue of the channel: its event waits there once, not once more after each sweep.
    await query(`update messages set wake_at = wake_at - interval '55 minutes' where user_id = $1`, ada.id)
    expect(await wake(ada.id)).toBe(1)
    await query(`update messages set wake_at = now() + interval '9 years' where user_id = $1`, ada.id)
    expect(await wake(ada.id)).toBe(2)
    await deliverDue(ada.id)
    expect(mailsTo(ada.email)).toHaveLength(1)
  } finally {
    await hanging.stop()
    await away.stop()
    silent.close()
  }
})

describe('if the clock was set back by two hours', () => {
  const setBack = async (userId: string) => {
    await query(
      `update messages set created_at = created_at + interval '2 hours', next_attempt_at = next_attempt_at + interval '2 hours',
        wake_at = wake_at + interval '2 hours' where user_id = $1`,
      userId,
    )
    await query(
      `update message_attempts set started_at = started_at + interval '2 hours', finished_at = finished_at + interval '2 hours'
        where message_id in (select id from messages where user_id = $1)`,
      userId,
    )
  }

  test('a message that was never tried is sent when its event comes', async () => {
    const ada = await user()
    await logIn(ada.id)
    await setBack(ada.id)
    expect(await deliverDue(ada.id)).toEqual([204])
    expect(mailsTo(ada.email)).toHaveLength(1)
  })

  test('so is one that waits for another attempt, or whose process has died, and a sweep wakes both', async () => {
    const [ada, bob] = [await user(), await user()]
    for (const { id } of [ada, bob]) await logIn(id)
    const away = await startFunction(sendEmail, { ...env, SMTP_URL: 'smtp://localhost:9' })
    for (const { id } of [ada, ada, ada, bob]) await deliverDue(id, away)
    await away.stop()
    const [{ id }] = (await messagesOf(bob.id)) as [Stored]
    await query(`update message_attempts set finished_at = null, outcome = null where message_id = $1`, id)
    await query(`update messages set next_attempt_at = now() + interval '90 seconds' where id = $1`, id)
    for (const { id } of [ada, bob]) {
      await query(`delete from outbox_pending`)
      await setBack(id)
      expect(await wake(id)).toBe(1)
      expect(await deliverDue(id)).toEqual([204])
    }
    expect([...mailsTo(ada.email), ...mailsTo(bob.email)]).toHaveLength(2)
  })
})

/** Runs the sweep; the Broker is away, so what it wakes stays in the outbox. Resolves with how many rows of
 * the outbox hold the event of this user's message. */
async function wake(userId: string): Promise<number> {
  const [{ id }] = (await messagesOf(userId)) as [Stored]
  const sweeper = await startFunction(sweep, env)
  await deliverTick(sweeper, 'sweep-notifications')
  await sweeper.stop()
  const rows = await query(`select from outbox_pending where event_ids @> array[event_id_of($1)]`, id)
  return rows.length
}

async function listen(onConnection: (socket: import('node:net').Socket) => void): Promise<Server> {
  const listening = createServer(onConnection)
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return listening
}

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port

test('a mail server that takes mails and does not say so in time gets each three times, not more', async () => {
  const ada = await user()
  await logIn(ada.id)
  // Long enough for each step before the last one, also on a busy machine.
  const hasty = await startFunction(sendEmail, { ...env, MESSAGE_TIMEOUT_MS: '2000' })
  server.isSilent = true
  try {
    for (const taken of [1, 2, 3]) {
      // The Broker does not try again soon, nor does the next event have it sent again.
      expect(await deliverDue(ada.id, hasty)).toEqual([204])
      expect(await deliverDue(ada.id, hasty)).toEqual([204])
      expect(mailsTo(ada.email)).toHaveLength(taken)
      await letTimePass(ada.id)
    }
    expect(await messagesOf(ada.id)).toMatchObject([{ status: 'failed', attempts: 3 }])
    expect(
      await query(
        `select outcome, answer from message_attempts a join messages m on m.id = message_id
          where user_id = $1 order by attempt`,
        ada.id,
      ),
    ).toMatchObject([
      { outcome: 'unsure' },
      { outcome: 'unsure' },
      { outcome: 'failed', answer: expect.stringMatching(/^it may have arrived 3 times/) },
    ])
  } finally {
    server.isSilent = false
    await hasty.stop()
  }
})

test('a mail server that falls silent before the mail has not got it: the mail waits, and is tried for long', async () => {
  const ada = await user()
  await logIn(ada.id)
  const silent = await listen((socket) => {
    socket.on('error', () => {})
    socket.write('220 mail ESMTP\r\n')
    socket.on('data', (part) => void (String(part).startsWith('EHLO') && socket.write('250 mail\r\n')))
  })
  const hanging = await startFunction(sendEmail, {
    ...env,
    ...{ SMTP_URL: `smtp://localhost:${portOf(silent)}`, SMTP_TLS: 'none', MESSAGE_TIMEOUT_MS: '300' },
  })
  try {
    expect(await deliverDue(ada.id, hanging)).toEqual([503])
    expect(
      await query(
        `select outcome from message_attempts a join messages m on m.id = message_id where user_id = $1`,
        ada.id,
      ),
    ).toEqual([{ outcome: 'later' }])
  } finally {
    await hanging.stop()
    silent.close()
  }
})

test('what ended long ago is deleted by the sweep, and so are old dead letters', async () => {
  const ada = await user()
  for (let n = 0; n < 2; n++) await logIn(ada.id)
  await deliverDue(ada.id)
  const [old, recent] = (await messagesOf(ada.id)) as [Stored, Stored]
  await query(`update messages set finished_at = now() - interval '91 days' where id = $1`, old.id)
  const letter = (days: number, redrivenDays: number | null) =>
    query(
      `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, status, created_at,
          last_at, redriven_at, group_id)
        values ('/test', $1::text, 'a.b', '{}', 'x', sha256(convert_to($1, 'UTF8')), $2, now() - $3 * interval '1 day',
          now() - $3 * interval '1 day', now() - $4::int * interval '1 day',
          dead_letter_group('x', 'a.b', null, null))`,
      `${days} ${redrivenDays}`,
      redrivenDays === null ? 'stored' : 'redriven',
      days,
      redrivenDays,
    )
  for (const days of [29, 89, 91]) await letter(days, null)
  await letter(100, 31)
  await letter(100, 29)
  await wake(ada.id)
  expect((await messagesOf(ada.id)).map(({ id }) => id)).toEqual([recent.id])
  expect(await query('select from message_attempts where message_id = $1', old.id)).toEqual([])
  const left = await query<{ event_id: string }>('select event_id from dead_letters order by id')
  expect(left.map(({ event_id: id }) => id)).toEqual(['29 null', '89 null', '100 29'])
})

test('nothing is sent to a mail server without TLS, or whose certificate nobody vouches for', async () => {
  const plain = await startMailServer({ disabledCommands: ['STARTTLS'] })
  const [toPlain, toStranger] = await Promise.all([
    startFunction(sendEmail, { ...env, SMTP_URL: plain.settings.SMTP_URL }),
    startFunction(sendEmail, { ...env, SMTP_CA: plain.settings.SMTP_CA }),
  ])
  try {
    for (const by of [toPlain, toStranger]) {
      const ada = await user()
      await logIn(ada.id)
      expect(await deliverDue(ada.id, by)).toEqual([503])
      expect(mailsTo(ada.email)).toEqual([])
    }
    expect(plain.mails).toEqual([])
  } finally {
    await toPlain.stop()
    await toStranger.stop()
    await plain.stop()
  }
})

test('the same event at once, to many processes, sends one mail', async () => {
  const ada = await user()
  await logIn(ada.id)
  await Promise.all(Array.from({ length: 10 }, () => deliverDue(ada.id)))
  expect(mailsTo(ada.email)).toHaveLength(1)
})

test('a message that comes before the address of its user waits for it', async () => {
  const id = randomUUID()
  await logIn(id)
  expect(await deliverDue(id)).toEqual([503])
  await deliverExample(contacts, userRegistered, { user_id: id, email: `${id}@example.com` })
  expect(await deliverDue(id)).toEqual([204])
  expect(mailsTo(`${id}@example.com`)).toHaveLength(1)
})

test('a deleted user gets nothing more, and nothing of what was for them is kept', async () => {
  const ada = await user()
  await logIn(ada.id)
  await deliverExample(contacts, userDeleted, { user_id: ada.id })
  await deliverDue(ada.id)
  await logIn(ada.id)
  expect(mailsTo(ada.email)).toEqual([])
  expect(await query(`select status, address, content from messages where user_id = $1`, ada.id)).toEqual([
    { status: 'failed', address: null, content: {} },
  ])
})

test('nor is anything kept that is stored while they are deleted, or what was sent to them before', async () => {
  const ada = await user()
  await logIn(ada.id)
  server.refusals.push({ at: 'data', code: 451, text: `${ada.email} is greylisted` })
  await deliverDue(ada.id)
  await deliverExample(contacts, userDeleted, { user_id: ada.id })
  // As if this had been written by a statement that had not seen the deletion.
  await query(
    `update messages set address = $2, content = '{"text":"private"}' where user_id = $1`,
    ada.id,
    ada.email,
  )
  await deliverDue(ada.id)
  const kept = await query(
    `select m.address, m.content::text as content, n.message, a.answer
    from messages m join notifications n on n.id = m.notification_id join message_attempts a on a.message_id = m.id
    where m.user_id = $1`,
    ada.id,
  )
  const nothing = { address: null, content: '{}', message: '', answer: null }
  expect(kept).toEqual([nothing, nothing])
})

test('what a message said, and where it went, is kept only until it is sent', async () => {
  const ada = await user()
  await deliverExample(others, emailChanged, { user_id: ada.id, old_email: ada.email })
  await deliverDue(ada.id)
  const kept = await query(
    `select address, content::text as content from messages where user_id = $1`,
    ada.id,
  )
  expect(kept).toEqual([
    { address: null, content: '{}' },
    { address: null, content: '{}' },
  ])
})

test('a log-in that is mailed is not in the user’s list, where it would hide the rest', async () => {
  const ada = await user()
  await logIn(ada.id)
  await deliverExample(others, emailChanged, { user_id: ada.id })
  const list = async (role: 'customer' | 'operator') =>
    (await reader.request('GET', '/notifications', { token: await token({ userId: ada.id, role }) })).body
      .items as { user_id: string; event_type: string }[]
  expect((await list('customer')).map(({ event_type: type }) => type)).toEqual(['email.changed'])
  const all = (await list('operator')).filter(({ user_id: userId }) => userId === ada.id)
  expect(all.map(({ event_type: type }) => type)).toEqual(['email.changed', 'session.started'])
})

test('whoever registers with another’s address can’t fill their mailbox: few mails go there until they confirm', async () => {
  const email = `${randomUUID()}@example.com`
  const ids: string[] = []
  for (let i = 0; i < 3; i++) {
    const { id } = await user('Eve', email)
    ids.push(id)
    for (let n = 0; n < 3; n++) await logIn(id)
    await deliverExample(others, emailChanged, { user_id: id, old_email: email, new_email: email })
    await deliverDue(id)
    await deliverExample(contacts, userDeleted, { user_id: id })
  }
  const subjects = () => mailsTo(email).map(({ mail }) => mail.subject)
  expect(subjects().filter((subject) => subject === 'New log-in')).toHaveLength(5)
  // No log-in keeps these from an owner who has not confirmed.
  expect(subjects().filter((subject) => subject === 'Email address changed')).toHaveLength(5)
  expect(subjects()).toHaveLength(10)
  const mine = await user('Ada', email)
  await logIn(mine.id)
  await deliverExample(others, passwordResetRequested, {
    ...{ user_id: mine.id, email, expires_at: new Date(Date.now() + 3_600_000).toISOString() },
  })
  await deliverDue(mine.id)
  expect(subjects().slice(10)).toEqual(['Choose a new password'])
  await deliverExample(contacts, emailConfirmed, { user_id: mine.id, email })
  await logIn(mine.id)
  await deliverDue(mine.id)
  expect(mailsTo(email)).toHaveLength(12)
})

test('whoever registers with another’s address can’t make the bank send them a link or a number', async () => {
  const names = [
    'Your account is locked, see evil.example',
    'Please pay at https://evil',
    'Call +43 660 1234567 now',
    'evil．example',
    'mallory@evil',
  ]
  for (const name of names) {
    const victim = await user(name)
    await logIn(victim.id)
    await deliverDue(victim.id)
    const [{ mail, raw }] = mailsTo(victim.email) as [MailServer['mails'][number]]
    expect(mail.text).toMatch(/^Hello,\n/)
    expect(raw).not.toMatch(/evil|1234567/)
  }
  const tolkien = await user('Dr. J.R.R. O’Tolkien-Müller')
  await logIn(tolkien.id)
  await deliverDue(tolkien.id)
  expect(mailsTo(tolkien.email)[0]!.mail.text).toContain('Hello Dr. J.R.R. O’Tolkien-Müller,')
})

test('a message that can’t be sent for two days is given up', async () => {
  const ada = await user()
  await logIn(ada.id)
  await query(`update messages set created_at = now() - interval '49 hours' where user_id = $1`, ada.id)
  server.refusals.push({ at: 'data', code: 451, text: 'later' })
  expect(await deliverDue(ada.id)).toEqual([204])
  expect(await messagesOf(ada.id)).toMatchObject([{ status: 'failed' }])
})

test('a message that kills each process that tries to send it is given up, too', async () => {
  const ada = await user()
  await logIn(ada.id)
  await query(
    `update messages set attempts = 5, created_at = now() - interval '49 hours' where user_id = $1`,
    ada.id,
  )
  expect(await deliverDue(ada.id)).toEqual([204])
  expect(mailsTo(ada.email)).toEqual([])
  expect(await messagesOf(ada.id)).toMatchObject([{ status: 'failed', attempts: 6 }])
})

describe('a message with a link', () => {
  const KEYS = { LINK_KEY, PUBLIC_URL: 'https://bank.example/online/' }
  let everywhere: TestFunction
  let linking: TestFunction

  beforeAll(async () => {
    everywhere = await startFunction(notifyUser, { ...env, MESSAGE_CHANNELS: 'email, sms, push' })
    linking = await startFunction(sendEmail, { ...env, ...KEYS })
  })

  afterAll(async () => {
    await everywhere.stop()
    await linking.stop()
  })

  /** Has a link mailed to a user of this address. Resolves with the user's id and the link's token. */
  async function askFor(email: string, expiresAt = new Date(Date.now() + 3_600_000).toISOString()) {
    const { id } = await user('Ada', 'current@example.com')
    const linkId = randomUUID()
    const data = { link_id: linkId, user_id: id, email, expires_at: expiresAt }
    const event = { data, id: randomUUID() }
    for (let i = 0; i < 2; i++)
      expect(
        (await deliverExample(everywhere, passwordResetRequested, event.data, { id: event.id })).status,
      ).toBe(204)
    return { id, token: linkToken(LINK_KEY, 'new-password', linkId) }
  }

  test('goes to the address in the event, by email only, once; its link has the token behind the #', async () => {
    const email = `${randomUUID()}@example.com`
    const asked = await askFor(email)
    await query(`update contacts set phone = '+4366012345' where user_id = $1`, asked.id)
    expect(await messagesOf(asked.id)).toMatchObject([{ channel: 'email' }])
    expect(await deliverDue(asked.id, linking)).toEqual([204])
    const [sent, ...more] = mailsTo(email)
    expect(more).toEqual([])
    const url = `https://bank.example/online/new-password#token=${asked.token}`
    expect(sent!.mail.subject).toBe('Choose a new password')
    expect(sent!.mail.text).toContain(`\n${url}\n`)
    expect(sent!.mail.html).toContain(`<a href="${url}">`)
  })

  test('is in no list and stream of its user, can’t be chosen, and leaves its token nowhere', async () => {
    const email = `${randomUUID()}@example.com`
    const { id, token: secret } = await askFor(email)
    // Mail servers tell which link they did not like.
    const text = `blocked: https://bank.example/online/new-password#token=${secret} is on a list`
    server.refusals.push({ at: 'data', code: 451, text })
    expect(await deliverDue(id, linking)).toEqual([503])
    expect(await deliverDue(id, linking)).toEqual([204])
    expect(mailsTo(email)).toHaveLength(1)
    const list = await reader.request('GET', '/notifications', { token: await token({ userId: id }) })
    expect(list.body.items).toEqual([])
    const [attempt] = await query<{ answer: string }>(
      `select answer from message_attempts a join messages m on m.id = message_id where user_id = $1 and attempt = 1`,
      id,
    )
    expect(attempt!.answer).toContain('new-password#token=(token) is on a list')
    const everything = await query<{ row: string }>(
      `select n::text as row from notifications n union all select m::text from messages m
        union all select a::text from message_attempts a union all select e::text from events e`,
    )
    expect(everything.length).toBeGreaterThan(5)
    expect(everything.filter(({ row }) => row.includes(secret.slice(22)))).toEqual([])
  })

  test('is not sent any more when its link has expired', async () => {
    const email = `${randomUUID()}@example.com`
    const { id } = await askFor(email, new Date(Date.now() - 1_000).toISOString())
    expect(await deliverDue(id, linking)).toEqual([204])
    expect(mailsTo(email)).toEqual([])
    expect(await messagesOf(id)).toMatchObject([{ status: 'failed' }])
    expect((await endsOf(id)).map((end) => end.type)).toEqual(['notification.failed'])
  })
})
