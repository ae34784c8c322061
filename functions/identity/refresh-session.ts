import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { identityProblems, invalidRefreshToken, tooManyRefreshes } from './refusals.ts'
import { aboutSession, continueSession, refreshTokenBody, tokensReply, tokensSchema } from './sessions.ts'

/** Continues a session. Takes no Idempotency-Key: the answer holds secrets, which are stored nowhere. A
 * client that lost the answer may repeat within seconds. Later its repeat looks like a thief's. */
export default operation({
  name: 'refresh-session',
  context: 'identity',
  summary: 'Continues a session with a new pair of tokens.',
  needs: ['JWT_SIGNING_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/auth/refresh',
      who: 'anyone',
      summary: 'Exchange a refresh token for a new pair of tokens; using one twice ends its session',
      body: refreshTokenBody,
      answers: { 200: tokensSchema },
      problems: [identityProblems.invalidRefreshToken, problems.tooManyRequests],
      handle: async ({ body, traceparent }, tools) => {
        // A reuse must commit too: the session has to stay ended after this refusal.
        const { session } = await tools.transact(traceparent, async (tx) => {
          const session = await continueSession(tx, body.refresh_token)
          if (typeof session === 'string') return { session }
          if ('reused' in session) return { session, about: aboutSession(session.reused, 'session-ended') }
          return { session, about: aboutSession(session) }
        })
        if (session === 'too-often') return tooManyRefreshes(60)
        if (session === 'invalid') return invalidRefreshToken()
        if ('reused' in session) {
          tools.log.warn('a refresh token was used twice; its session is ended')
          return invalidRefreshToken()
        }
        return tokensReply(session, tools.config.JWT_SIGNING_KEY)
      },
    }),
  ],
})
