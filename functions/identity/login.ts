import { loginFailed } from '../../eventing/contracts/login.failed.ts'
import { credentialSchemas } from '../host/credentials.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import type { Emitting } from '../host/tools.ts'
import { codeRoute } from './code-route.ts'
import { deviceOf } from './device.ts'
import { enterFirstOperator } from './first-operator.ts'
import { isPassword } from './password.ts'
import { identityProblems, invalidCredentials, tooManyAttempts } from './refusals.ts'
import { signInRate } from './sign-in-rate.ts'
import {
  aboutSession,
  emitStarted,
  endsIdleSchema,
  startSession,
  tokensReply,
  tokensSchema,
} from './sessions.ts'
import { beginAttempt } from './throttle.ts'
import { canonicalEmail, findUserByEmail } from './user.ts'

const body = {
  type: 'object',
  additionalProperties: false,
  required: ['email', 'password'],
  properties: {
    email: credentialSchemas.email,
    password: credentialSchemas.password,
    ends_idle: endsIdleSchema,
  },
} as const

/** Starts a session. Takes no Idempotency-Key: the answer holds secrets, which are stored nowhere. Logging in
 * twice does no harm. */
export default operation({
  name: 'login',
  context: 'identity',
  summary: 'Starts a session.',
  needs: ['JWT_SIGNING_KEY', 'OPERATOR_EMAIL', 'OPERATOR_PASSWORD', 'FRONT_DOOR_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/auth/login',
      who: 'anyone',
      summary: 'Log in with an email address and a password',
      body,
      answers: { 200: tokensSchema },
      problems: [identityProblems.invalidCredentials, problems.tooManyRequests],
      rate: signInRate,
      handle: async ({ body, address, header, traceparent }, tools) => {
        const email = canonicalEmail(body.email)
        const attempt = await beginAttempt(tools.db, { email, address }, tools.config)
        if ('waitSeconds' in attempt) return tooManyAttempts(attempt.waitSeconds)

        const user =
          (await findUserByEmail(tools.db, email)) ?? (await enterFirstOperator(email, traceparent, tools))
        // Done without a user too: the work, and so the time, must be the same.
        const isRight = await isPassword(user?.password_hash, body.password)
        if (!user || !isRight) {
          await tools.transact(traceparent, async (tx) => emitFailed(tx, user?.id ?? null, address))
          return invalidCredentials()
        }
        const { session } = await tools.transact(traceparent, async (tx) => {
          const device = deviceOf(header('user-agent'))
          const session = await startSession(tx, user, { ...device, endsIdle: body.ends_idle })
          if (!session) {
            emitFailed(tx, user.id, address)
            return {}
          }
          await attempt.succeeded(tx)
          emitStarted(tx, session, address)
          return { session, about: aboutSession(session) }
        })
        if (!session) return invalidCredentials()
        return tokensReply(session, tools.config.JWT_SIGNING_KEY)
      },
    }),
    codeRoute,
  ],
})

function emitFailed(tx: Emitting, userId: string | null, address: string): void {
  tx.emit(loginFailed, {
    subject: userId ?? 'unknown',
    partitionkey: userId ?? address,
    data: { user_id: userId, client_address: address, failed_at: new Date().toISOString() },
  })
}
