import { passwordChanged } from '../../eventing/contracts/password.changed.ts'
import { route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { idParams } from '../host/schema.ts'
import { dropLinks } from './links.ts'
import { newPasswordSchema, passwordFault } from './password-rules.ts'
import { hashPassword } from './password.ts'
import { provePassword } from './prove-password.ts'
import { identityProblems, refusedPassword, userNotFound, wrongPassword } from './refusals.ts'
import { sessionOf } from './session-routes.ts'
import { revokeSessionsOf } from './sessions.ts'
import { aboutUser, findUser } from './user.ts'

/** Users give themselves a new password, with the one that they have. All their other sessions end: whoever
 * changes a password fears that somebody has it. */
export const passwordRoute = route({
  method: 'PUT',
  path: '/users/{id}/password',
  who: 'signed-in',
  summary: 'Choose another password; only for oneself, and it ends all other sessions',
  params: idParams,
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['current_password', 'new_password'],
    properties: {
      current_password: { type: 'string', minLength: 1, maxLength: 1000, 'x-secret': true },
      new_password: newPasswordSchema,
    },
  },
  answers: { 204: undefined },
  problems: [identityProblems.wrongPassword, problems.tooManyRequests],
  handle: async ({ params: { id }, body, caller, address, traceparent }, tools) => {
    const user = caller.userId === id ? await findUser(tools.db, id) : undefined
    if (!user) return userNotFound()
    const fault = passwordFault(body.new_password, user.email)
    if (fault) return refusedPassword('/new_password', fault)
    const proof = await provePassword(user, { password: body.current_password, address }, tools)
    if ('status' in proof) return proof
    const passwordHash = await hashPassword(body.new_password)
    return tools.transact(traceparent, async (tx) => {
      // Not if they have got another one while this was checked.
      const [changed] = await tx.query<{ at: Date }>({
        name: 'user-change-password',
        text: `update users set password_hash = $2 where id = $1 and password_hash = $3 and deleted_at is null
          returning now() as at`,
        values: [id, passwordHash, proof.passwordHash],
      })
      if (!changed) return wrongPassword()
      await dropLinks(tx, id, 'new-password')
      await revokeSessionsOf(tx, id, 'new-password', { except: sessionOf(caller) })
      const data = { user_id: id, changed_at: changed.at.toISOString(), by_new_owner: false }
      tx.emit(passwordChanged, { subject: id, partitionkey: id, data })
      return { status: 204, about: aboutUser(id) }
    })
  },
})
