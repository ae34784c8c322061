import type { EventContract } from './contract.ts'
import { messageEndExample, messageEndSchema, type MessageEnd } from './message-end.ts'

export const notificationFailed: EventContract<MessageEnd> = {
  type: 'notification.failed',
  version: 1,
  context: 'notifications',
  description: 'A message could not be sent, and will not be tried again.',
  schema: messageEndSchema,
  example: { ...messageEndExample, attempts: 12 },
}
