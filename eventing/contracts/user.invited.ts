import type { EventContract } from './contract.ts'
import { mailedLinkExample, mailedLinkSchema, type MailedLink } from './mailed-link.ts'

export const userInvited: EventContract<MailedLink> = {
  type: 'user.invited',
  version: 1,
  context: 'identity',
  description: 'An operator added a user, who is to get a link by email to choose a password.',
  schema: mailedLinkSchema,
  example: mailedLinkExample,
}
