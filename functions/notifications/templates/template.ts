import type { Formats } from './formats.ts'
import type { NotifiedData, NotifiedType } from './notified.ts'

/** A message in one language. Both parts are plain text. */
export interface MessageText {
  /** A few words: the subject of an email, the title of a push message. */
  title: string
  text: string
}

/** Messages that operators send to a customer, without any data. */
export const notices = ['please-call', 'documents-needed', 'details-outdated'] as const

export type Notice = (typeof notices)[number]

/** What has to be written in each language. A language that lacks something does not compile. */
export interface Templates {
  /** A message for each event that customers hear of. */
  events: { [Type in NotifiedType]: (data: NotifiedData<Type>, format: Formats) => MessageText }
  notices: Record<Notice, MessageText>
  /** What is around the message in an email. */
  email: {
    /** `name` is empty if it is not known. */
    greeting: (name: string) => string
    footer: string
  }
  /** The title of a message that an operator wrote. */
  fromTheBank: string
}
