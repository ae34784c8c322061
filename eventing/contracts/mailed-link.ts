import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

/** What the events have in common that have a one-time link mailed to a user. The link follows from `link_id`
 * and a key, so neither the event nor who reads it has the link. */
export interface MailedLink {
  link_id: Uuid
  user_id: Uuid
  /** The address that the link is for. It goes nowhere else, whatever address the user has by then. */
  email: string
  expires_at: Timestamp
  requested_at: Timestamp
}

/** Schema of MailedLink. */
export const mailedLinkSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['link_id', 'user_id', 'email', 'expires_at', 'requested_at'],
  properties: { link_id: uuid, user_id: uuid, email: text, expires_at: timestamp, requested_at: timestamp },
}

export const mailedLinkExample: MailedLink = {
  link_id: '3f0c1b52-9a4e-4c07-8d36-5e2b7a90c114',
  user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
  email: 'ada@example.com',
  expires_at: '2026-08-02T17:05:00.000Z',
  requested_at: '2026-08-02T16:05:00.000Z',
}
