import { messageDue, type MessageDue } from '../../eventing/contracts/message.due.ts'
import { operation } from '../host/operation.ts'
import { deliverMessage } from './channels/deliver.ts'
import { sendSms } from './channels/sms.ts'

/** Sends messages as text messages. A provider that is down delays only these. */
export default operation({
  name: 'send-sms',
  context: 'notifications',
  summary: 'Sends messages as text messages',
  consumes: {
    contracts: [messageDue],
    receive: (event, tools, _state, { traceparent }) =>
      deliverMessage(event.data as MessageDue, 'sms', { tools, traceparent }, (message) =>
        sendSms(message, tools.config),
      ),
  },
})
