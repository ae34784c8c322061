import { sourceOf } from '../../../eventing/contracts/contract.ts'
import type { EventMessage } from '../../../eventing/message.ts'
import { isSigned } from '../../../eventing/signature.ts'
import { databaseContexts } from '../../contexts.ts'
import { eventKeySetting, type Config } from '../../host/config.ts'
import type { Transaction } from '../../host/database/database.ts'

/** Most letters, and bytes of their events, that are kept without a signature of the bank. Anybody who
 * reaches the Broker can publish such events. The bank's own are all kept. */
const UNSIGNED_MAX = {
  ofGroup: { letters: 1_000, bytes: 4 * 1024 * 1024 },
  inAll: { letters: 10_000, bytes: 64 * 1024 * 1024 },
}

/** Whether the context that the event's source names has signed it. */
export function isOfBank(message: EventMessage, config: Config): boolean {
  const context = databaseContexts.find((one) => sourceOf({ context: one }) === message.attributes.source)
  return context !== undefined && isSigned(message, config[eventKeySetting(context)])
}

/** Whether one more letter that the bank has not signed can be kept. Letters that come at the same moment may
 * each find the same room. */
export async function hasRoom(tx: Transaction, group: string, bytes: number): Promise<boolean> {
  const { ofGroup, inAll } = UNSIGNED_MAX
  const [row] = await tx.query<{ has_room: boolean }>({
    name: 'dead-letters-room',
    text: `select
        sum(unsigned) filter (where id = $1) < ${ofGroup.letters}
        and sum(unsigned_bytes) filter (where id = $1) + $2 <= ${ofGroup.bytes}
        and sum(unsigned) < ${inAll.letters} and sum(unsigned_bytes) + $2 <= ${inAll.bytes} as has_room
      from dead_letter_groups`,
    values: [group, bytes],
  })
  return row!.has_room
}
