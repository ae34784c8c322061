import { createHash } from 'node:crypto'
import type { EventMessage } from '../../../eventing/message.ts'
import { statedBy } from '../../../eventing/signature.ts'
import { formatStructured } from '../../../eventing/structured.ts'
import type { Consumer } from '../../host/operation.ts'
import { errorOf, triggerOf } from './failure.ts'

/** The status of an HTTP answer has three digits. */
const CODE_MAX = 10

/** Keeps an event that no consumer could process. The same once more is counted; after a redrive it has come
 * back, and waits again. */
export const storeLetter: Consumer = {
  contracts: 'any',
  async receive(event, { db, log }, _state, { message }) {
    const { knativeerrordest, knativeerrorcode, knativeerrordata } = message.attributes
    const destination = storable(knativeerrordest) ?? ''
    const code = storable(knativeerrorcode)
    const data = storable(knativeerrordata && Buffer.from(String(knativeerrordata), 'base64').toString())
    const type = storable(event.type)!
    await db.query({
      name: 'dead-letter-store',
      text: `with stored as (
          insert into dead_letters as l (event_source, event_id, event_type, event, destination, error_code,
            error_data, digest, group_id)
          values ($1, $2, $3, $4, $5, $6, $7, $8, dead_letter_group($9, $3, $10, $11))
          on conflict (event_source, event_id, destination, digest) do update
            set deliveries = l.deliveries + 1, status = 'stored', last_at = now(), group_id = excluded.group_id,
              error_code = excluded.error_code, error_data = excluded.error_data,
              came_back_at = case when l.status = 'redriven' then now() else l.came_back_at end
          returning old.status = 'redriven' as came_back, new.redrive_id
        )
        update dead_letter_redrives r set came_back = r.came_back + 1
        from stored where stored.came_back and r.id = stored.redrive_id`,
      values: [
        storable(event.source),
        storable(event.id),
        type,
        // Byte for byte, because the signature covers the bytes.
        formatStructured(originalOf(message)),
        destination,
        code,
        data,
        digestOf(message),
        triggerOf(destination, type),
        code?.slice(0, CODE_MAX) ?? null,
        errorOf(data, event),
      ],
    })
    log.warn('dead letter stored', { event_id: event.id, event_type: event.type, code: knativeerrorcode })
  },
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
