import { emailConfirmed, type EmailConfirmed } from '../../eventing/contracts/email.confirmed.ts'
import { passwordChanged, type PasswordChanged } from '../../eventing/contracts/password.changed.ts'
import { userDeleted, type UserDeleted } from '../../eventing/contracts/user.deleted.ts'
import { userRegistered, type UserRegistered } from '../../eventing/contracts/user.registered.ts'
import { userUpdated, type UserUpdated } from '../../eventing/contracts/user.updated.ts'
import type { Database } from '../host/database/database.ts'
import { operation } from '../host/operation.ts'
import { lockOwner } from './owner.ts'

/** Keeps the name and the email address of every user, for messages to them, and which they confirmed. Events
 * come in any order and more than once; the newest wins by its own time, so none needs a row in `inbox`. */
export default operation({
  name: 'keep-contacts',
  context: 'notifications',
  summary: 'Keeps names and email addresses of users for messages to them',
  consumes: {
    contracts: [userRegistered, userUpdated, userDeleted, emailConfirmed, passwordChanged],
    async receive(event, { db }) {
      const data = event.data as UserRegistered | UserUpdated | UserDeleted | EmailConfirmed | PasswordChanged
      if ('deleted_at' in data) await erase(db, data)
      else if ('changed_at' in data) await forgetEarlierOwner(db, data)
      else if ('confirmed_at' in data) await keepConfirmed(db, data)
      else await keep(db, data, 'updated_at' in data ? data.updated_at : data.registered_at)
    },
  },
})

const keep = (
  db: Database,
  { user_id: userId, name, email }: UserRegistered | UserUpdated,
  changedAt: string,
) =>
  db.query({
    name: 'contact-keep',
    text: `insert into contacts as known (user_id, name, email, changed_at) values ($1, $2, $3, $4)
      on conflict (user_id) do update set name = $2, email = $3, changed_at = $4
      where known.deleted_at is null and (known.changed_at is null or known.changed_at < $4)`,
    values: [userId, name, email, changedAt],
  })

const keepConfirmed = (db: Database, { user_id: userId, email, confirmed_at: confirmedAt }: EmailConfirmed) =>
  db.query({
    name: 'contact-confirmed',
    text: `insert into contacts as known (user_id, confirmed_email, confirmed_at) values ($1, $2, $3)
      on conflict (user_id) do update set confirmed_email = $2, confirmed_at = $3
      where known.deleted_at is null and (known.confirmed_at is null or known.confirmed_at < $3)`,
    values: [userId, email, confirmedAt],
  })

/** Removes what an earlier owner of the password may have set up for a user: push subscriptions that are
 * older, or were made with an older token, and the phone number. If the event comes late, or again, nothing
 * that the new owner has set up since is removed. */
const forgetEarlierOwner = async (db: Database, data: PasswordChanged): Promise<void> => {
  const { user_id: userId, changed_at: changedAt, by_new_owner: isNew } = data
  if (!isNew) return
  await db.transaction(async (tx) => {
    await lockOwner(tx, userId)
    const renewed = await tx.query({
      name: 'contact-renew',
      text: `insert into contacts as known (user_id, renewed_at) values ($1, $2)
        on conflict (user_id) do update set renewed_at = $2, phone = null
        where known.renewed_at is null or known.renewed_at < $2
        returning user_id`,
      values: [userId, changedAt],
    })
    if (renewed.length === 0) return
    await tx.query({
      name: 'push-of-earlier-owner',
      text: `delete from push_subscriptions
        where user_id = $1 and (created_at < $2 or token_issued_at + interval '1 second' <= $2)`,
      values: [userId, changedAt],
    })
  })
}

/** Erases what is known of a deleted user: contact, preferences, subscriptions, what messages to them say,
 * and the notifications that name addresses of theirs or are in the words of an operator; messages that are
 * not sent yet will fail. The contact's row stays, without anything personal, so that an older event that
 * comes later brings nothing back. */
const erase = (db: Database, { user_id: userId, deleted_at: deletedAt }: UserDeleted) =>
  db.transaction(async (tx) => {
    await lockOwner(tx, userId)
    await tx.query({
      name: 'contact-erase',
      text: `with preference as (
        delete from preferences where user_id = $1
      ), subscription as (
        delete from push_subscriptions where user_id = $1
      ), message as (
        update messages set address = null, content = '{}' where user_id = $1 returning id
      ), attempt as (
        update message_attempts set answer = null from message where message_id = message.id
      ), notification as (
        update notifications set message = ''
        where user_id = $1 and event_type in ('session.started', 'notification.requested')
      )
      insert into contacts (user_id, deleted_at) values ($1, $2)
      on conflict (user_id) do update set name = null, email = null, phone = null,
        confirmed_email = null, deleted_at = $2`,
      values: [userId, deletedAt],
    })
  })
