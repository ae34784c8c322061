import { redriveDue, type RedriveDue } from '../../eventing/contracts/redrive.due.ts'
import { operation } from '../host/operation.ts'
import { runRedrive } from './dead-letters/run-redrive.ts'

/** Publishes the dead letters of a redrive at its rate. If the event comes twice, or is lost, nothing is
 * lost: the database knows which letters are left, and a sweep sends another event. */
export default operation({
  name: 'redrive-dead-letters',
  context: 'notifications',
  summary: 'Goes on with redrives of dead letters',
  consumes: {
    contracts: [redriveDue],
    receive: (event, tools, _state, { traceparent }) =>
      runRedrive(event.data as RedriveDue, tools, traceparent),
  },
})
