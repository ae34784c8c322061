import type { EventContract } from '../../eventing/contracts/contract.ts'
import { emailConfirmationRequested } from '../../eventing/contracts/email.confirmation-requested.ts'
import { emailConfirmed } from '../../eventing/contracts/email.confirmed.ts'
import type { MailedLink } from '../../eventing/contracts/mailed-link.ts'
import { passwordResetRequested } from '../../eventing/contracts/password.reset-requested.ts'
import { userInvited } from '../../eventing/contracts/user.invited.ts'
import type { Database, Transaction } from '../host/database/database.ts'
import type { LinkPurpose } from '../host/link-token.ts'
import type { Emitting } from '../host/tools.ts'
import { beginMail } from './throttle.ts'
import { findUserByEmail, userColumns, type UserRow } from './user.ts'

/** A link that can be mailed: what for, for how many hours it works, and the event that has it mailed. */
interface LinkKind {
  purpose: LinkPurpose
  hours: number
  contract: EventContract<MailedLink>
}

export const linkKinds = {
  reset: { purpose: 'new-password', hours: 1, contract: passwordResetRequested },
  // They asked for nothing, so they may not look for it.
  invitation: { purpose: 'new-password', hours: 7 * 24, contract: userInvited },
  confirmation: { purpose: 'confirm-email', hours: 7 * 24, contract: emailConfirmationRequested },
} as const satisfies Record<string, LinkKind>

/** Whom a link is mailed to. */
type Addressee = Pick<UserRow, 'id' | 'email'>

/** A link that works: it is not used, not expired, and the address is still its user's. */
export interface OpenLink {
  id: string
  user_id: string
  email: string
}

/** Says whether another link may be mailed to an address now. Ask before the transaction that makes it. */
export const mayMail = async (db: Database, { purpose }: LinkKind, email: string): Promise<boolean> =>
  (await beginMail(db, purpose, email)).waitSeconds === 0

/** Says the same of an address that a user is to get. If another user has it, no link will be mailed, so none
 * is counted: nobody can use up the links of others. */
export const mayMailNew = async (db: Database, kind: LinkKind, email: string): Promise<boolean> =>
  !(await findUserByEmail(db, email)) && mayMail(db, kind, email)

/** Stores a link, and emits the event that has it mailed. For an address that no user has (undefined) it only
 * stores a row, which is nobody's. */
export async function mailLink(tx: Emitting, kind: LinkKind, to: Addressee | undefined): Promise<void> {
  const [link] = await tx.query<{ id: string; created_at: Date; expires_at: Date }>({
    name: 'mailed-link-insert',
    text: `insert into mailed_links (user_id, purpose, email, expires_at)
      values ($1, $2, $3, now() + $4 * interval '1 hour') returning id, created_at, expires_at`,
    values: [to?.id ?? null, kind.purpose, to?.email ?? null, kind.hours],
  })
  if (!to) return
  tx.emit(kind.contract, {
    subject: to.id,
    partitionkey: to.id,
    data: {
      link_id: link!.id,
      user_id: to.id,
      email: to.email,
      expires_at: link!.expires_at.toISOString(),
      requested_at: link!.created_at.toISOString(),
    },
  })
}

/** Finds a link that works. A look without a lock: useLink() decides. */
export async function findOpenLink(
  tx: Transaction,
  id: string,
  purpose: LinkPurpose,
): Promise<OpenLink | undefined> {
  const [link] = await tx.query<OpenLink>({
    name: 'mailed-link-open',
    text: `select l.id, l.user_id, l.email from mailed_links l join users u on u.id = l.user_id
      where l.id = $1 and purpose = $2 and used_at is null and expires_at > now() and u.email = l.email
        and deleted_at is null`,
    values: [id, purpose],
  })
  return link
}

/** Uses a link, and returns its user, whose row stays locked until the transaction ends. Returns undefined if
 * it was used or replaced meanwhile: of many who use it at once, one gets the user.
 *
 * The user's row is locked first, as by a change of their address. */
export async function useLink(tx: Transaction, link: OpenLink): Promise<UserRow | undefined> {
  const [user] = await tx.query<UserRow>({
    name: 'mailed-link-user-lock',
    text: `select ${userColumns} from users where id = $1 and email = $2 and deleted_at is null for update`,
    values: [link.user_id, link.email],
  })
  if (!user) return undefined
  const used = await tx.query({
    name: 'mailed-link-use',
    text: `update mailed_links set used_at = now()
      where id = $1 and used_at is null and expires_at > now() returning id`,
    values: [link.id],
  })
  return used.length > 0 ? user : undefined
}

/** Makes a user's open links useless: all, or those for one purpose. */
export async function dropLinks(tx: Transaction, userId: string, purpose?: LinkPurpose): Promise<void> {
  await tx.query({
    name: 'mailed-links-drop',
    text: `delete from mailed_links
      where user_id = $1 and used_at is null and ($2::text is null or purpose = $2)`,
    values: [userId, purpose ?? null],
  })
}

/** Stores that a user's address is theirs, and emits email.confirmed; does nothing if that is known. The
 * user's row must be locked. */
export async function confirmEmail(tx: Emitting, user: UserRow): Promise<void> {
  if (user.email_confirmed_at) return
  const [confirmed] = await tx.query<{ at: Date }>({
    name: 'user-confirm-email',
    text: `update users set email_confirmed_at = date_trunc('milliseconds', now()) where id = $1
      returning email_confirmed_at as at`,
    values: [user.id],
  })
  tx.emit(emailConfirmed, {
    subject: user.id,
    partitionkey: user.id,
    data: { user_id: user.id, email: user.email, confirmed_at: confirmed!.at.toISOString() },
  })
}
