import { operation, route } from '../host/operation.ts'
import { refreshTokenBody, revokeSession } from './sessions.ts'

/** Takes no Idempotency-Key: a second time changes nothing. Access tokens that were already given stay valid
 * until they expire (15 minutes), because functions verify them without asking anybody. */
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
