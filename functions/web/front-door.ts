import { operation } from '../host/operation.ts'
import { mountFrontDoor } from './app.ts'
import { ownRoutes } from './own-routes.ts'
import { sessionRoutes } from './session/session-routes.ts'

/** The bank's only public origin: `/api/...` for the functions, `/health...`, and the public keys. */
export default operation({
  name: 'front-door',
  context: 'web',
  summary: 'Routes /api to the functions by their own declarations',
  needs: ['JWKS', 'FRONT_DOOR_KEY'],
  mount: mountFrontDoor,
  ownRoutes: [...ownRoutes, ...sessionRoutes],
})
