import { messageDue, type MessageDue } from '../../eventing/contracts/message.due.ts'
import { operation } from '../host/operation.ts'
import { deliverMessage } from './channels/deliver.ts'
import { sendPush } from './channels/push.ts'

/** Sends messages to browsers and phones. A push service that is down delays only these. */
export default operation({
  name: 'send-push',
  context: 'notifications',
  summary: 'Sends push messages',
  consumes: {
    contracts: [messageDue],
    receive: (event, tools, _state, { traceparent }) =>
      deliverMessage(event.data as MessageDue, 'push', { tools, traceparent }, (message) =>
        sendPush(message, tools.config, (id) =>
          tools.db.query({
            name: 'push-subscription-ended',
            text: `delete from push_subscriptions where id = $1`,
            values: [id],
          }),
        ),
      ),
  },
})
