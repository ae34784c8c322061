/** Groups of event types, for consumers of many types. A Trigger compares attributes with one value each, so
 * it can't list types, and a Trigger for each type would be a queue and a pod on a cluster. Instead each
 * event says in attributes of its own which groups it is in. An event can be in several.
 *
 * Whoever publishes an event may have nothing of it but its row, so the groups follow from the type: all
 * events of the type have the attribute. Of some types only some events are in a group: see
 * groups-by-event.ts. A test holds the types of both kinds against what the consumers take. */
const groups: Readonly<Record<string, { value: string; types: readonly string[] }>> = {
  // Offered to web hooks.
  webhooks: {
    value: 'offered',
    types: typesIn(`
      account.opened account.frozen account.unfrozen account.closed overdraft.changed
      limits.changed fees.changed ledger.broken ledger.stopped ledger.resumed
      user.registered user.updated user.deleted email.changed password.changed session.started login.failed
      order.created order.ran order.failed order.cancelled
      payment.created payment.executed payment.received payment.cancelled payment.expired payment.failed
      topup.completed topup.failed withdrawal.completed withdrawal.failed clearing.disputed
      document.uploaded document.processed document.deleted`),
  },
  // Tells a user something, by way of notify-user. There are far more transactions than all of these, so
  // they have Triggers of their own.
  tells: {
    value: 'user',
    types: typesIn(`
      account.frozen account.unfrozen account.closed hold.placed hold.captured hold.released hold.expired
      payment.executed payment.received payment.expired payment.failed topup.failed withdrawal.failed
      order.ran order.failed payout.completed
      webhook.paused session.started password.changed email.changed password.reset-requested user.invited
      email.confirmation-requested`),
  },
  // Changes a user's name or address, confirms the address, deletes the user, or ends what an earlier owner
  // of the address had set up.
  changes: {
    value: 'contact',
    types: typesIn('user.registered user.updated user.deleted email.confirmed password.changed'),
  },
}

function typesIn(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** Names of the attributes that tell groups. */
export const GROUP_ATTRIBUTES: readonly string[] = Object.keys(groups)

const NONE: Readonly<Record<string, string>> = {}

const byType = new Map<string, Record<string, string>>()
for (const [name, { value, types }] of Object.entries(groups))
  for (const type of types) byType.set(type, { ...byType.get(type), [name]: value })

/** Types whose events are all in a group. */
export const groupedTypes: readonly string[] = [...byType.keys()]

/** Returns the attributes that tell the groups of a type of event; empty if it is in none. */
export const groupsOf = (type: string): Readonly<Record<string, string>> => byType.get(type) ?? NONE
