import { operation, route } from '../host/operation.ts'
import { refreshTokenBody, revokeSession } from './sessions.ts'

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
      handle: async ({ body }, tools) => {
        await revokeSession(tools.db, body.refresh_token, 'logout')
        return { status: 204 }
      },
    }),
  ],
})
