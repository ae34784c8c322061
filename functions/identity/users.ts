import { located } from '../host/answer-of.ts'
import { emailChanged } from '../../eventing/contracts/email.changed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { userUpdated } from '../../eventing/contracts/user.updated.ts'
import { sqlstate } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { OnBehalf } from '../host/route-request.ts'
import type { Reply } from '../host/reply.ts'
import { pageOf } from '../host/database/paging.ts'
import { problem, problems } from '../host/problems.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { idParams } from '../host/schema.ts'
import type { Emitting, Tools } from '../host/tools.ts'
import { usersQuery } from './users-query.ts'
import { isKeptForOperator } from './first-operator.ts'
import { dropLinks, linkKinds, mailLink, mayMailNew } from './links.ts'
import { passwordRoute } from './password-route.ts'
import { provePassword } from './prove-password.ts'
import { payeeRoutes } from './payees.ts'
import { accountsOpen, emailTaken, identityProblems } from './refusals.ts'
import { userNotFound, wrongPassword } from './refusals.ts'
import { sessionRoutes } from './session-routes.ts'
import { revokeSessionsOf } from './sessions.ts'
import { canonicalEmail, emailSchema, enterCustomer, findUser, maySee, nameSchema } from './user.ts'
import { aboutUser, toEntered, toUser, userColumns, userSchema, type UserRow } from './user.ts'

export default operation({
  name: 'users',
  context: 'identity',
  summary: 'Lists, adds, shows, changes and deletes users, and their sessions.',
  needs: ['OPERATOR_EMAIL'],
  routes: [
    route({
      method: 'GET',
      path: '/users',
      who: 'operator',
      summary: 'Users, newest first: all, those found by name or email address, or whom an id belongs to',
      query: usersQuery,
      answers: { 200: pageOf(userSchema) },
      // Most calls are of customers who look at themselves: they need not load the search.
      handle: async (request, tools) => (await import('./find-users.ts')).findUsers(request, tools),
    }),
    route({
      method: 'POST',
      path: '/users',
      who: 'operator',
      summary: 'Add a customer who is served at the counter; they get a link by email to choose a password',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'email'],
        properties: { name: nameSchema, email: emailSchema },
      },
      answers: { 201: located(userSchema) },
      problems: [identityProblems.emailTaken],
      idempotent: true,
      handle: async ({ body, idempotencyKey, traceparent }, { db, transact }) => {
        const email = canonicalEmail(body.email)
        const isMailed = await mayMailNew(db, linkKinds.invitation, email)
        return transact(traceparent, (tx) =>
          once(tx, 'users', idempotencyKey, async () => {
            const user = await enterCustomer(tx, { name: body.name, email, passwordHash: null })
            if (!user) return emailTaken()
            if (isMailed) await mailLink(tx, linkKinds.invitation, user)
            return toEntered(user)
          }),
        )
      },
    }),
    ...payeeRoutes,
    route({
      method: 'GET',
      path: '/users/{id}',
      who: 'signed-in',
      summary: 'One user; customers see only themselves',
      params: idParams,
      answers: { 200: userSchema },
      handle: async ({ params: { id }, caller }, { db }) => {
        const user = maySee(caller, id) ? await findUser(db, id) : undefined
        return user ? { status: 200, body: toUser(user), about: aboutUser(user.id) } : userNotFound()
      },
    }),
    route({
      method: 'PATCH',
      path: '/users/{id}',
      who: 'signed-in',
      summary:
        'Change the name or the email address; customers change only their own, the address with their password',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          name: nameSchema,
          email: emailSchema,
          current_password: { type: 'string', minLength: 1, maxLength: 1000, 'x-secret': true },
        },
      },
      answers: { 200: userSchema },
      problems: [identityProblems.emailTaken, identityProblems.wrongPassword, problems.tooManyRequests],
      handle: async ({ params: { id }, body, caller, address, traceparent }, tools) => {
        if (!maySee(caller, id)) return userNotFound()
        const email = body.email && canonicalEmail(body.email)
        const proof =
          email && caller.userId === id
            ? await proveForEmail({ id, email, password: body.current_password, address }, tools)
            : undefined
        if (proof && 'status' in proof) return proof
        if (email && (await isKeptForOperator(tools.db, email, tools.config))) return emailTaken()
        const isMailed = email !== undefined && (await mayMailNew(tools.db, linkKinds.confirmation, email))
        try {
          return await tools.transact(traceparent, (tx) =>
            change(tx, id, { name: body.name, email, isMailed, ...proof }),
          )
        } catch (error) {
          // The unique index on addresses: another request took the address after it was read.
          if (sqlstate(error) === '23505') return emailTaken()
          throw error
        }
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/{id}',
      who: 'signed-in',
      summary: 'Delete a customer whose accounts are all closed; customers delete only themselves',
      params: idParams,
      answers: { 204: undefined },
      problems: [problems.forbidden, identityProblems.accountsOpen],
      handle: async (request, tools) => {
        const { caller, traceparent } = request
        const { id } = request.params
        const user = maySee(caller, id) ? await findUser(tools.db, id) : undefined
        if (!user) return userNotFound()
        if (user.role === 'operator') return problem(problems.forbidden, 'An operator can’t be deleted.')
        // An account opened between this question and the deletion stays. It still has its owner's id, and an
        // operator can close it. That costs less than a lock across two databases.
        if (await hasAccounts(id, request, tools)) return accountsOpen()
        return tools.transact(traceparent, (tx) => remove(tx, id))
      },
    }),
    passwordRoute,
    ...sessionRoutes,
  ],
})

/** Has users prove their password for a new address of their own: there they could ask for a new password.
 * Returns the hash that was right, nothing if the address stays, or the refusal. */
async function proveForEmail(
  to: { id: string; email: string; password: string | undefined; address: string },
  tools: Tools,
): Promise<{ passwordHash: string } | undefined | Reply> {
  const user = await findUser(tools.db, to.id)
  if (!user) return userNotFound()
  return user.email === to.email ? undefined : provePassword(user, to, tools)
}

/** Changes name and address as given. Emits events only if something is different afterwards. A new address
 * is not confirmed, and no link that was mailed to the one before works any more. */
async function change(
  tx: Emitting,
  id: string,
  to: { name: string | undefined; email: string | undefined; isMailed: boolean; passwordHash?: string },
): Promise<Reply> {
  const [before] = await tx.query<UserRow>({
    name: 'user-lock',
    text: `select ${userColumns} from users where id = $1 and deleted_at is null for update`,
    values: [id],
  })
  if (!before) return userNotFound()
  // They have got another one while this was checked.
  if (to.passwordHash && to.passwordHash !== before.password_hash) return wrongPassword()
  const { name = before.name, email = before.email } = to
  if (name === before.name && email === before.email)
    return { status: 200, body: toUser(before), about: 'nothing-changed' }
  const [changed] = await tx.query<{ changed_at: Date }>({
    name: 'user-change',
    text: `update users set name = $2, email = $3,
        email_confirmed_at = case when email = $3 then email_confirmed_at end,
        changed_at = greatest(date_trunc('milliseconds', clock_timestamp()), changed_at + interval '1 millisecond')
      where id = $1 returning changed_at`,
    values: [id, name, email],
  })
  const changedAt = changed!.changed_at.toISOString()
  tx.emit(userUpdated, {
    subject: id,
    partitionkey: id,
    data: { user_id: id, name, email, updated_at: changedAt },
  })
  if (email === before.email) return { status: 200, body: toUser({ ...before, name }), about: aboutUser(id) }
  tx.emit(emailChanged, {
    subject: id,
    partitionkey: id,
    data: { user_id: id, old_email: before.email, new_email: email, changed_at: changedAt },
  })
  await dropLinks(tx, id)
  if (to.isMailed) await mailLink(tx, linkKinds.confirmation, { id, email })
  const changedUser = { ...before, name, email, email_confirmed_at: null }
  return { status: 200, body: toUser(changedUser), about: aboutUser(id) }
}

/** Asks the ledger, on the caller's behalf, whether the user has accounts that are not closed. */
async function hasAccounts(
  userId: string,
  { caller: { token }, client, traceparent }: OnBehalf,
  { call }: Tools,
): Promise<boolean> {
  const counts = await Promise.all(
    ['open', 'frozen'].map(async (status) => {
      const path = `/accounts?user_id=${userId}&status=${status}&limit=1`
      const answer = await call('accounts', { path, token, client, traceparent })
      const { items } = (answer.body ?? {}) as { items?: unknown }
      if (answer.status !== 200 || !Array.isArray(items)) {
        throw new UnavailableError(`expected a list of accounts, got status ${answer.status}`)
      }
      return items.length
    }),
  )
  return counts.some((count) => count > 0)
}

async function remove(tx: Emitting, id: string): Promise<Reply> {
  const [deleted] = await tx.query<{ deleted_at: Date }>({
    name: 'user-delete',
    // The row stays, because the ledger's accounts refer to it; nothing in it says who it was.
    text: `update users set deleted_at = now(), password_hash = null, name = '-', email = '-@-'
      where id = $1 and deleted_at is null returning deleted_at`,
    values: [id],
  })
  if (!deleted) return userNotFound()
  await revokeSessionsOf(tx, id, 'user-deleted')
  await dropLinks(tx, id)
  const deletedAt = deleted.deleted_at.toISOString()
  tx.emit(userDeleted, { subject: id, partitionkey: id, data: { user_id: id, deleted_at: deletedAt } })
  return { status: 204, about: aboutUser(id) }
}
