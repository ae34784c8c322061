import { createHash } from 'node:crypto'
import type { EventMessage } from '../../../eventing/message.ts'
import { statedBy } from '../../../eventing/signature.ts'
import { formatStructured } from '../../../eventing/structured.ts'
import type { Consumer } from '../../host/operation.ts'
import type { Transaction } from '../../host/database/database.ts'
import { errorOf, triggerOf } from './failure.ts'
import { hasRoom, isOfBank } from './room.ts'

/** The status of an HTTP answer has three digits. */
const CODE_MAX = 10
/** A type can have any length, and groups are kept for long. */
const TYPE_MAX = 1_000

/** Keeps an event that no consumer could process. If the same comes once more, that is counted; after a
 * redrive it has come back, and waits again. Keeps what the bank has not signed only while there is room. */
export const storeLetter: Consumer = {
  contracts: 'any',
  async receive(event, { db, log, config }, _state, { message }) {
    const { knativeerrordest, knativeerrorcode, knativeerrordata } = message.attributes
    const destination = storable(knativeerrordest) ?? ''
    const code = storable(knativeerrorcode)
    const data = storable(knativeerrordata && Buffer.from(String(knativeerrordata), 'base64').toString())
    const type = storable(event.type)!
    const key = [storable(event.source), storable(event.id), destination, digestOf(message)]
    // Byte for byte, because the signature covers the bytes.
    const text = formatStructured(originalOf(message))
    const bytes = Buffer.byteLength(text)
    const isSigned = isOfBank(message, config)
    const isKept = await db.transaction(async (tx) => {
      const [group] = await tx.query<{ id: string }>({
        name: 'dead-letter-group',
        text: 'select dead_letter_group($1, $2, $3, $4) as id',
        values: [
          triggerOf(destination, type),
          [...type].slice(0, TYPE_MAX).join(''),
          code?.slice(0, CODE_MAX) ?? null,
          errorOf(data, event),
        ],
      })
      if (!isSigned && !(await isKnown(tx, key)) && !(await hasRoom(tx, group!.id, bytes))) {
        await tx.query({
          name: 'dead-letter-drop',
          text: 'update dead_letter_groups set dropped = dropped + 1, last_at = now() where id = $1',
          values: [group!.id],
        })
        return false
      }
      await tx.query({
        name: 'dead-letter-store',
        text: `with stored as (
            insert into dead_letters as l (event_source, event_id, destination, digest, event_type, event,
              error_code, error_data, group_id, is_signed, bytes)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            on conflict (event_source, event_id, destination, digest) do update
              set deliveries = l.deliveries + 1, status = 'stored', last_at = now(),
                group_id = excluded.group_id, error_code = excluded.error_code, error_data = excluded.error_data,
                came_back_at = case when l.status = 'redriven' then now() else l.came_back_at end
            returning old.status = 'redriven' as came_back, new.redrive_id
          )
          update dead_letter_redrives r set came_back = r.came_back + 1
          from stored where stored.came_back and r.id = stored.redrive_id`,
        values: [...key, type, text, code, data, group!.id, isSigned, bytes],
      })
      return true
    })
    const told = { event_id: event.id, event_type: event.type, code: knativeerrorcode }
    if (isKept) log.warn('dead letter stored', told)
    else log.warn('unsigned dead letter not kept: there are too many', told)
  },
}

/** Whether a letter is stored already. Then another delivery takes no more room. */
async function isKnown(tx: Transaction, key: unknown[]): Promise<boolean> {
  const found = await tx.query({
    name: 'dead-letter-known',
    text: `select from dead_letters
      where event_source = $1 and event_id = $2 and destination = $3 and digest = $4`,
    values: key,
  })
  return found.length > 0
}

/** Returns the event without the attributes that Brokers add to a dead letter. */
function originalOf({ attributes, data }: EventMessage): EventMessage {
  const {
    knativeerrordest: _to,
    knativeerrorcode: _code,
    knativeerrordata: _answer,
    ...original
  } = attributes
  return { attributes: original, data }
}

/** Returns a hash of the signature and of everything that it covers: the same for each delivery of an event,
 * even if its trace differs. */
function digestOf({ attributes, data }: EventMessage): Buffer {
  const stated = JSON.stringify(statedBy(attributes))
  return createHash('sha256').update(`${stated}\n${attributes.signature}\n`).update(data).digest()
}

/** Makes text that Postgres can store: a structured event may have NUL in any string, which Postgres
 * refuses. */
function storable(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value).replaceAll('\0', '\uFFFD')
}
