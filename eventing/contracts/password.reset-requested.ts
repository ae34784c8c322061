import type { EventContract } from './contract.ts'
import { mailedLinkExample, mailedLinkSchema, type MailedLink } from './mailed-link.ts'

export const passwordResetRequested: EventContract<MailedLink> = {
  type: 'password.reset-requested',
  version: 1,
  context: 'identity',
  description: 'Somebody asked for a new password of a user, who is to get a link by email.',
  schema: mailedLinkSchema,
  example: mailedLinkExample,
}
