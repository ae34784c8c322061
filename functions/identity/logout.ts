import { operation, route } from '../host/operation.ts'
import { aboutSession, refreshTokenBody, revokeSession } from './sessions.ts'

/** Ends a session. Takes no Idempotency-Key: a second log-out changes nothing. Access tokens already issued
 * stay valid until they expire (15 minutes), because functions verify them without asking anybody. */
export default operation({
  name: 'logout',
  context: 'identity',
  summary: 'Ends a session.',
  routes: [
    route({
      method: 'POST',
      path: '/auth/logout',
      who: 'anyone',
      summary: 'End the session of a refresh token',
      body: refreshTokenBody,
      answers: { 204: undefined },
      handle: async ({ body, traceparent }, { transact }) =>
        transact(traceparent, async (tx) => {
          const ended = await revokeSession(tx, body.refresh_token, 'logout')
          return { status: 204, about: ended ? aboutSession(ended, 'session-ended') : 'nothing-changed' }
        }),
    }),
  ],
})
