import type { LinkPurpose } from '../../host/link-token.ts'
import type { Language } from '../templates/formats.ts'

/** A message that is about to be sent. */
export interface OutgoingMessage {
  id: string
  language: Language
  /** Empty if it is not known. */
  name: string
  /** An email address or a phone number; null if none is known. */
  to: string | null
  subscription: { id: string; endpoint: string; keys: { p256dh: string; auth: string } } | null
  title: string
  text: string
  /** The one-time link that goes with it, of which nothing secret is known yet; null if there is none. */
  link: MessageLink | null
  createdAt: Date
}

export interface MessageLink {
  purpose: LinkPurpose
  id: string
  expiresAt: Date
}

/** How an attempt ended. `answer` is what the provider said. */
export type SendOutcome =
  | { outcome: 'sent'; answer: string }
  /** It will never succeed. */
  | { outcome: 'failed'; answer: string }
  /** It may succeed later, at the earliest after `waitSeconds` if the provider named a time. */
  | { outcome: 'later'; answer: string; waitSeconds?: number }
  /** All of it was given away, and nobody said that it arrived. It may have. */
  | { outcome: 'unsure'; answer: string }

/** What the mail server gets. All parts are plain; nodemailer encodes them. */
export interface Email {
  messageId: string
  date: Date
  from: { name: string; address: string }
  to: { name: string; address: string }
  subject: string
  text: string
  html: string
}
