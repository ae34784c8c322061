import { operation, route } from '../host/operation.ts'
import { orNull } from '../host/schema.ts'

const versionSchema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const

const audits = { nothing: 'the audit of payments has the web hooks that it is for' } as const

/** Keeps whose events of postings and holds are offered to web hooks. Payments tells it, on behalf of the
 * owner of a hook, before it stores the hook. */
export default operation({
  name: 'watch-postings',
  context: 'ledger',
  summary: 'Keeps whose events of postings and holds are offered to web hooks',
  routes: [
    route({
      method: 'POST',
      path: '/posting-watches',
      // It shows nothing, but what is offered costs the bank something.
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'Offer web hooks the events that concern the caller, or those that concern anybody',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['version', 'sees_all'],
        properties: { version: versionSchema, sees_all: { type: 'boolean' } },
      },
      answers: {
        200: {
          type: 'object',
          additionalProperties: false,
          required: ['version'],
          properties: { version: versionSchema },
        },
      },
      audits,
      async handle({ body: { version, sees_all: seesAll }, caller }, { db }) {
        // The answer may have a higher version: payments was restored from a backup.
        const [watch] = await db.query<{ version: bigint }>({
          name: 'posting-watch',
          text: `insert into posting_watches as known (user_id, version, sees_all) values ($1, $2, $3)
            on conflict (user_id) do update set version = greatest(known.version, excluded.version),
              sees_all = known.sees_all or excluded.sees_all
            returning version`,
          values: [caller.userId, version, seesAll],
        })
        return { status: 200, body: { version: Number(watch!.version) } }
      },
    }),
    route({
      method: 'POST',
      path: '/posting-watches/end',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'End the caller’s watch, unless it has a higher version: then the answer has that',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['version'],
        properties: { version: versionSchema },
      },
      answers: {
        200: {
          type: 'object',
          additionalProperties: false,
          required: ['version'],
          properties: { version: orNull(versionSchema) },
        },
      },
      audits,
      async handle({ body: { version }, caller }, { db }) {
        const [left] = await db.query<{ version: bigint }>({
          name: 'posting-watch-end',
          text: `with ended as (delete from posting_watches where user_id = $1 and version <= $2)
            select version from posting_watches where user_id = $1 and version > $2`,
          values: [caller.userId, version],
        })
        return { status: 200, body: { version: left ? Number(left.version) : null } }
      },
    }),
  ],
})
