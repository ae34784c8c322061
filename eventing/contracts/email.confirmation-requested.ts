import type { EventContract } from './contract.ts'
import { mailedLinkExample, mailedLinkSchema, type MailedLink } from './mailed-link.ts'

export const emailConfirmationRequested: EventContract<MailedLink> = {
  type: 'email.confirmation-requested',
  version: 1,
  context: 'identity',
  description: 'A user has a new email address, and is to confirm it with a link that is mailed there.',
  schema: mailedLinkSchema,
  example: mailedLinkExample,
}
