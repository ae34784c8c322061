import { located } from '../host/answer-of.ts'
import { keyReused, once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import { problems } from '../host/problems.ts'
import type { Tools } from '../host/tools.ts'
import { isKeptForOperator } from './first-operator.ts'
import { newPasswordSchema, passwordFault } from './password-rules.ts'
import { hashPassword, isPassword } from './password.ts'
import { linkKinds, mailLink, mayMailNew } from './links.ts'
import {
  emailTaken,
  identityProblems,
  refusedPassword,
  tooManyAttempts,
  tooManyRegistrations,
} from './refusals.ts'
import { signInRate } from './sign-in-rate.ts'
import { beginAttempt, beginRegistration } from './throttle.ts'
import {
  canonicalEmail,
  emailSchema,
  enterCustomer,
  findUser,
  nameSchema,
  toEntered,
  userSchema,
} from './user.ts'

export default operation({
  name: 'register',
  context: 'identity',
  summary: 'Registers a new customer.',
  needs: ['OPERATOR_EMAIL', 'FRONT_DOOR_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/auth/register',
      who: 'anyone',
      summary: 'Register with a name, an email address and a password',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'email', 'password'],
        properties: { name: nameSchema, email: emailSchema, password: newPasswordSchema },
      },
      answers: { 201: located(userSchema) },
      problems: [identityProblems.emailTaken, problems.tooManyRequests],
      rate: signInRate,
      idempotent: true,
      handle: async ({ body, address, idempotencyKey, traceparent }, tools) => {
        const { name, password } = body
        const email = canonicalEmail(body.email)
        const fault = passwordFault(password, email)
        if (fault) return refusedPassword('/password', fault)

        const { waitSeconds } = await beginRegistration(tools.db, address, tools.config)
        if (waitSeconds > 0) return tooManyRegistrations(waitSeconds)

        const isMailed = await mayMailNew(tools.db, linkKinds.confirmation, email)
        // Before the transaction, because it takes longer than everything else together.
        const passwordHash = await hashPassword(password)
        const reply = await tools.transact(traceparent, (tx) =>
          once(tx, 'register', idempotencyKey, async () => {
            if (await isKeptForOperator(tx, email, tools.config)) return emailTaken()
            const user = await enterCustomer(tx, { name, email, passwordHash })
            if (!user) return emailTaken()
            if (isMailed) await mailLink(tx, linkKinds.confirmation, user)
            return toEntered(user)
          }),
        )
        const isReplay = reply.headers?.['idempotency-replayed'] !== undefined
        if (!isReplay || reply.status !== 201) return reply
        return checkReplay(reply, { password, email, address }, tools)
      },
    }),
  ],
})

/** Checks the password of a repeated registration. The key is not bound to the password (a fast hash of it
 * would be as good as the password), so it is compared here: with another password it is another request
 * (422). The answer tells whether the password is right, so this counts as a log-in. */
async function checkReplay(
  reply: Reply,
  { password, email, address }: { password: string; email: string; address: string },
  { db, config }: Tools,
): Promise<Reply> {
  const attempt = await beginAttempt(db, { email, address }, config)
  if ('waitSeconds' in attempt) return tooManyAttempts(attempt.waitSeconds)
  const user = await findUser(db, (reply.body as { id: string }).id)
  if (!(await isPassword(user?.password_hash, password))) return keyReused()
  await db.transaction(attempt.succeeded)
  return reply
}
