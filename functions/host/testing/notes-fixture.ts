import { randomUUID } from 'node:crypto'
import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { testDatabase } from '../../../tests/support/databases.ts'
import { startFunction, token } from '../../../tests/support/host.ts'
import { once } from '../database/idempotency.ts'
import { operation, route } from '../operation.ts'
import { idParams, shortText } from '../schema.ts'

/** The event that the operation consumes. */
export const noted: EventContract<{ text: string }> = {
  type: 'note.taken',
  version: 1,
  context: 'notifications',
  description: 'Somebody took a note.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['text'],
    properties: { text: { type: 'string' } },
  },
  example: { text: 'a note' },
}

/** What has happened inside the operation, and a way to hold it there: a note with the text `slow` waits
 * until `open` is called. */
export const inside = {
  received: [] as unknown[],
  entered: 0,
  open: (): void => {},
}

/** A small operation that shows what the host does for every operation. It keeps idempotency keys in a real
 * database. */
export const notes = operation({
  name: 'notes',
  context: 'notifications',
  summary: 'Keeps notes',
  consumes: {
    contracts: [noted],
    receive: async (event) => void inside.received.push(event.data),
  },
  routes: [
    route({
      method: 'POST',
      path: '/notes',
      who: 'signed-in',
      summary: 'Takes a note',
      audits: { nothing: 'it is kept nowhere' },
      idempotent: true,
      async: true,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['text'],
        properties: {
          text: { type: 'string', minLength: 1 },
          tone: shortText,
          secret: { type: 'string', 'x-secret': true },
        },
      },
      answers: { 201: { type: 'object' } },
      handle: ({ body, caller, idempotencyKey, respondAsync }, { db }) =>
        db.transaction((tx) =>
          once(tx, 'notes', idempotencyKey, async () => {
            inside.entered++
            if (body.text === 'defect') throw new Error('select secret_column from inside')
            if (body.text === 'slow') await new Promise<void>((resolve) => (inside.open = resolve))
            const note = { id: randomUUID(), text: body.text, by: caller.userId, async: respondAsync }
            return { status: 201, body: note }
          }),
        ),
    }),
    route({
      method: 'GET',
      path: '/notes/{id}',
      who: 'operator',
      summary: 'Shows a note',
      audits: { nothing: 'it is kept nowhere' },
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { limit: { type: 'integer', maximum: 9 } },
      },
      answers: { 200: { type: 'object' } },
      handle: async ({ params, query, traceparent }) => ({
        status: 200,
        body: { id: params.id, limit: query.limit, traceparent },
      }),
    }),
  ],
})

/** Starts the operation on a database of its own, with a customer who takes notes. `stop` removes both. */
export async function startNotes() {
  const database = await testDatabase('notifications')
  const host = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
  const adaToken = await token({ userId: randomUUID() })
  return {
    ...host,
    databaseUrl: database.url,
    adaToken,
    post: (body: unknown, headers: Record<string, string> = {}, bearer = adaToken) =>
      host.request('POST', '/notes', { token: bearer, body, headers }),
    async stop() {
      await host.stop()
      await database.drop()
    },
  }
}
