import type { AuditAbout } from '../host/audit/about.ts'
import type { Caller } from '../host/route-request.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Reply } from '../host/reply.ts'
import { uuidSchema, WORDS } from '../host/schema.ts'
import type { Emitting } from '../host/tools.ts'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'

/** A row of `users`. */
export interface UserRow {
  id: string
  name: string
  /** In lower case. */
  email: string
  role: Caller['role']
  email_confirmed_at: Date | null
  password_hash: string | null
  created_at: Date
}

/** Columns of a UserRow, for `select` and `returning`. */
export const userColumns = 'id, name, email, role, email_confirmed_at, password_hash, created_at'

/** A user as the API shows them: never more than this. */
export const userSchema = {
  title: 'User',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'name', 'email', 'role', 'email_confirmed_at', 'created_at'],
  properties: {
    id: uuidSchema,
    name: { type: 'string' },
    email: { type: 'string' },
    role: { enum: ['customer', 'operator'] },
    email_confirmed_at: {
      ...{ type: ['string', 'null'], format: 'date-time' },
      description: 'When they showed that the address is theirs; null before that.',
    },
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

export const toUser = (user: UserRow) => ({
  ...{ id: user.id, name: user.name, email: user.email, role: user.role },
  email_confirmed_at: user.email_confirmed_at?.toISOString() ?? null,
  created_at: user.created_at.toISOString(),
})

/** The answer for a user who was added. */
export const toEntered = (user: UserRow): Reply => ({
  status: 201,
  headers: { location: `/api/users/${user.id}` },
  body: toUser(user),
  about: aboutUser(user.id),
})

/** Schema of a person's name: 1 to 200 characters, not only blanks. */
export const nameSchema = {
  'x-personal': true,
  type: 'string',
  minLength: 1,
  maxLength: 200,
  pattern: WORDS,
} as const

/** Schema of an email address as the HTML standard defines it for `input type=email`, with at least one
 * dot in the domain. ASCII only: an international domain is written in its xn-- form. */
export const emailSchema = {
  'x-personal': true,
  type: 'string',
  maxLength: 254,
  pattern:
    "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+" +
    '[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$',
} as const

/** Returns an email address in the form in which addresses are stored and compared. */
export const canonicalEmail = (email: string): string => email.toLowerCase()

/** Customers may see only themselves, operators everybody. */
export const maySee = (caller: Caller, id: string): boolean =>
  caller.role === 'operator' || caller.userId === id

/** Says in the audit that a change or a reading was about a user: the thing is theirs, and themselves. */
export const aboutUser = (id: string): AuditAbout => ({ subject: id, ownerId: id })

/** Finds the user who has this email address, given in canonical form. */
export async function findUserByEmail(tx: Transaction, email: string): Promise<UserRow | undefined> {
  const [user] = await tx.query<UserRow>({
    name: 'user-by-email',
    text: `select ${userColumns} from users where email = $1 and deleted_at is null`,
    values: [email],
  })
  return user
}

export async function findUser(tx: Transaction, id: string): Promise<UserRow | undefined> {
  const [user] = await tx.query<UserRow>({
    name: 'user-by-id',
    text: `select ${userColumns} from users where id = $1 and deleted_at is null`,
    values: [id],
  })
  return user
}

/** Adds a customer and emits user.registered. `passwordHash` is null if the customer can't log in. Returns
 * undefined if another user has the address. */
export async function enterCustomer(
  tx: Emitting,
  user: { name: string; email: string; passwordHash: string | null },
): Promise<UserRow | undefined> {
  const [entered] = await tx.query<UserRow>({
    name: 'user-insert',
    text: `insert into users (name, email, password_hash) values ($1, $2, $3)
      on conflict do nothing returning ${userColumns}`,
    values: [user.name, user.email, user.passwordHash],
  })
  if (entered) emitRegistered(tx, entered)
  return entered
}

/** Emits the event that a user was added. */
export function emitRegistered(tx: Emitting, { id, name, email, role, created_at }: UserRow): void {
  tx.emit(userRegistered, {
    subject: id,
    partitionkey: id,
    data: { user_id: id, name, email, role, registered_at: created_at.toISOString() },
  })
}
