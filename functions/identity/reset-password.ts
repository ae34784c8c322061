import { passwordChanged } from '../../eventing/contracts/password.changed.ts'
import { passwordResetFailed } from '../../eventing/contracts/password.reset-failed.ts'
import { linkTokenSchema, readLinkToken } from '../host/link-token.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting } from '../host/tools.ts'
import { confirmEmail, dropLinks, findOpenLink, linkKinds, mailLink, mayMail, useLink } from './links.ts'
import type { OpenLink } from './links.ts'
import { newPasswordSchema, passwordFault } from './password-rules.ts'
import { hashPassword } from './password.ts'
import { identityProblems, linkNotValid, refusedPassword, tooManyLinks } from './refusals.ts'
import { revokeSessionsOf } from './sessions.ts'
import { beginReset } from './throttle.ts'
import { signInRate } from './sign-in-rate.ts'
import { aboutUser, canonicalEmail, emailSchema, findUserByEmail } from './user.ts'

/** Gives a user a new password by a link that is mailed to them: because they forgot theirs, or never had one
 * (an operator added them). */
export default operation({
  name: 'reset-password',
  context: 'identity',
  summary: 'Gives a user a new password, by a mailed link',
  needs: ['LINK_KEY', 'FRONT_DOOR_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/auth/password-resets',
      who: 'anyone',
      summary: 'Ask for a link by email to choose a new password; the answer is always the same',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['email'],
        properties: { email: emailSchema },
      },
      answers: {
        202: {
          type: 'object',
          additionalProperties: false,
          required: ['message'],
          properties: { message: { type: 'string' } },
        },
      },
      problems: [problems.tooManyRequests],
      rate: signInRate,
      handle: async ({ body, address, traceparent }, tools) => {
        const { waitSeconds } = await beginReset(tools.db, address)
        if (waitSeconds > 0) return tooManyLinks(waitSeconds)
        const email = canonicalEmail(body.email)
        // Whether there is such a user, neither the answer tells nor its time: all that follows is the same
        // work. Too many links for an address are no refusal either. Those of the last hour still work.
        const isMailed = await mayMail(tools.db, linkKinds.reset, email)
        const user = await findUserByEmail(tools.db, email)
        await tools.transact(traceparent, async (tx): Promise<Pick<Reply, 'about'>> => {
          if (!isMailed) return { about: 'nothing-changed' }
          await mailLink(tx, linkKinds.reset, user)
          if (!user) emitFailed(tx, address)
          return { about: user ? aboutUser(user.id) : {} }
        })
        return asked()
      },
    }),
    route({
      method: 'POST',
      path: '/auth/password-resets/confirm',
      who: 'anyone',
      summary: 'Choose the new password; ends all sessions of the user',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['token', 'new_password'],
        properties: { token: linkTokenSchema, new_password: newPasswordSchema },
      },
      answers: { 204: undefined },
      problems: [identityProblems.linkNotValid, problems.tooManyRequests],
      rate: signInRate,
      handle: async ({ body, traceparent }, tools) => {
        const id = readLinkToken(tools.config.LINK_KEY, 'new-password', body.token)
        const link = id && (await findOpenLink(tools.db, id, 'new-password'))
        if (!link) return linkNotValid()
        const fault = passwordFault(body.new_password, link.email)
        if (fault) return refusedPassword('/new_password', fault)
        // Before the transaction, because it takes longer than everything else together.
        const passwordHash = await hashPassword(body.new_password)
        return tools.transact(traceparent, (tx) => setPassword(tx, link, passwordHash))
      },
    }),
  ],
})

const asked = (): Reply => ({
  status: 202,
  body: { message: 'If a user has this address, they get an email with a link, which works for an hour.' },
})

/** Somebody who can read the mailbox has the address, so it is confirmed too. */
async function setPassword(tx: Emitting, link: OpenLink, passwordHash: string): Promise<Reply> {
  const user = await useLink(tx, link)
  if (!user) return linkNotValid()
  const [changed] = await tx.query<{ at: Date }>({
    name: 'user-set-password',
    text: 'update users set password_hash = $2 where id = $1 returning now() as at',
    values: [user.id, passwordHash],
  })
  await dropLinks(tx, user.id, 'new-password')
  await revokeSessionsOf(tx, user.id, 'new-password')
  await confirmEmail(tx, user)
  tx.emit(passwordChanged, {
    subject: user.id,
    partitionkey: user.id,
    data: {
      user_id: user.id,
      changed_at: changed!.at.toISOString(),
      // Anybody can register with the address of another.
      by_new_owner: user.password_hash !== null && user.email_confirmed_at === null,
    },
  })
  return { status: 204, about: { ...aboutUser(user.id), by: { userId: user.id, role: user.role } } }
}

function emitFailed(tx: Emitting, address: string): void {
  tx.emit(passwordResetFailed, {
    subject: 'unknown',
    partitionkey: address,
    data: { client_address: address, failed_at: new Date().toISOString() },
  })
}
