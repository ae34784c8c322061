import { linkTokenSchema, readLinkToken } from '../host/link-token.ts'
import { operation, route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting } from '../host/tools.ts'
import {
  confirmEmail,
  dropLinks,
  findOpenLink,
  linkKinds,
  mailLink,
  useLink,
  type OpenLink,
} from './links.ts'
import { identityProblems, linkNotValid, tooManyLinks, userNotFound } from './refusals.ts'
import { beginMail } from './throttle.ts'
import { aboutUser, findUser } from './user.ts'

/** Confirms that a user's email address is theirs, by a link that is mailed there. */
export default operation({
  name: 'confirm-email',
  context: 'identity',
  summary: 'Confirms email addresses by mailed links',
  needs: ['LINK_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/auth/email/confirm',
      who: 'anyone',
      summary: 'Confirm an email address with the token of a mailed link',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['token'],
        properties: { token: linkTokenSchema },
      },
      answers: { 204: undefined },
      problems: [identityProblems.linkNotValid],
      handle: async ({ body, traceparent }, tools) => {
        const id = readLinkToken(tools.config.LINK_KEY, 'confirm-email', body.token)
        const link = id && (await findOpenLink(tools.db, id, 'confirm-email'))
        if (!link) return linkNotValid()
        return tools.transact(traceparent, (tx) => confirm(tx, link))
      },
    }),
    route({
      method: 'POST',
      path: '/auth/email/confirmations',
      who: 'signed-in',
      summary: 'Have another link mailed to the caller’s address',
      answers: { 202: undefined },
      problems: [identityProblems.emailConfirmed, problems.notFound, problems.tooManyRequests],
      handle: async ({ caller, traceparent }, tools) => {
        const user = await findUser(tools.db, caller.userId)
        if (!user) return userNotFound()
        if (user.email_confirmed_at)
          return problem(identityProblems.emailConfirmed, 'There is nothing left to confirm.')
        const { waitSeconds } = await beginMail(tools.db, linkKinds.confirmation.purpose, user.email)
        if (waitSeconds > 0) return tooManyLinks(waitSeconds)
        return tools.transact(traceparent, async (tx) => {
          await mailLink(tx, linkKinds.confirmation, user)
          return { status: 202, about: aboutUser(user.id) }
        })
      },
    }),
  ],
})

async function confirm(tx: Emitting, link: OpenLink): Promise<Reply> {
  const user = await useLink(tx, link)
  if (!user) return linkNotValid()
  await dropLinks(tx, user.id, 'confirm-email')
  await confirmEmail(tx, user)
  return { status: 204, about: { ...aboutUser(user.id), by: { userId: user.id, role: user.role } } }
}
