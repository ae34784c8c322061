import { messageDue, type MessageDue } from '../../eventing/contracts/message.due.ts'
import { operation } from '../host/operation.ts'
import { deliverMessage } from './channels/deliver.ts'
import { sendEmail } from './channels/email.ts'

/** Sends messages by email. A mail server that is down delays only these. */
export default operation({
  name: 'send-email',
  context: 'notifications',
  summary: 'Sends messages by email',
  needs: ['LINK_KEY'],
  consumes: {
    contracts: [messageDue],
    receive: (event, tools, _state, { traceparent }) =>
      deliverMessage(event.data as MessageDue, 'email', { tools, traceparent }, (message) =>
        sendEmail(message, tools.config),
      ),
  },
})
