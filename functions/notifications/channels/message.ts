import type { Notice } from '../templates/template.ts'
import type { Importance, NotifiedType } from '../templates/notified.ts'

/** The ways out of the bank. */
export const channels = ['email', 'sms', 'push'] as const

export type Channel = (typeof channels)[number]

/** The same, and web hooks: those are posted by the functions of payments, which keep each attempt. */
export const chosenChannels = [...channels, 'webhook'] as const

export type ChosenChannel = (typeof chosenChannels)[number]

/** The most messages of one kind that a user gets over a channel within 24 hours. What is beyond them is not
 * sent: it only stands in the user's list. Usual messages are one kind. Each other type of event is a kind of
 * its own, so nobody can hide a changed password behind log-ins, links or payments that they cause. Anybody
 * can ask for about 70 links a day to one address; those must not use up the links of its owner. */
export const perDayMax: Readonly<Record<Channel, { usual: number; other: number }>> = {
  email: { usual: 50, other: 100 },
  sms: { usual: 20, other: 40 },
  push: { usual: 200, other: 300 },
}

/** Channels that a message takes if its user has not chosen. Whoever subscribes to push messages wants
 * them. */
export const usualChannels: Readonly<Record<Importance, readonly ChosenChannel[]>> = {
  usual: ['push'],
  important: ['email', 'push'],
  security: chosenChannels,
}

/** What a message says. It becomes text when it is sent, in the user's language of that moment. */
export type MessageContent =
  /** An event with its data, as its contract describes it. */
  | { event: NotifiedType; data: object }
  | { notice: Notice }
  /** The words of an operator. */
  | { text: string }
