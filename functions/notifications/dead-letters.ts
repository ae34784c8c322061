import { databaseContexts } from '../contexts.ts'
import { eventKeySetting } from '../host/config.ts'
import { operation } from '../host/operation.ts'
import { groupRoutes } from './dead-letters/group-routes.ts'
import { letterRoutes } from './dead-letters/letter-routes.ts'
import { redriveRoutes } from './dead-letters/redrive-routes.ts'
import { storeLetter } from './dead-letters/store-letter.ts'

/** The Broker's dead letter sink: keeps events that could not be processed, lists them, publishes them again,
 * and marks those that nobody needs. */
export default operation({
  name: 'dead-letters',
  context: 'notifications',
  summary: 'Keeps, lists, redrives and discards events that could not be processed',
  // To tell the bank's own events from forged ones.
  needs: databaseContexts.map(eventKeySetting),
  consumes: storeLetter,
  routes: [...letterRoutes, ...groupRoutes, ...redriveRoutes],
})
