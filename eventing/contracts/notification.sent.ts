import type { EventContract } from './contract.ts'
import { messageEndExample, messageEndSchema, type MessageEnd } from './message-end.ts'

export const notificationSent: EventContract<MessageEnd> = {
  type: 'notification.sent',
  version: 1,
  context: 'notifications',
  description: 'A message left the bank: the provider of its channel took it.',
  schema: messageEndSchema,
  example: messageEndExample,
}
