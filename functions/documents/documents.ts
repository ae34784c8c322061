import { fileOf } from '../host/answer-of.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { orNull, uuidSchema } from '../host/schema.ts'
import {
  DOCUMENT_COLUMNS,
  documentParams,
  documentSchema,
  findDocument,
  mediaTypes,
  toDocument,
  type DocumentRow,
} from './document.ts'
import { documentProblems, noSuchDocument } from './refusals.ts'
import { healthOf } from './stores/store-health.ts'
import { createStores, storeSettings, type Stores } from './stores/stores.ts'

/** What a browser may do with a file of a customer: save it or show it, and nothing else. It runs nothing,
 * loads nothing, and no page of another origin gets it. */
const FILE_HEADERS = {
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
}

const fileProblems = [
  problems.notFound,
  documentProblems.notReady,
  documentProblems.refused,
  documentProblems.lost,
]

const dispositionQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { disposition: { enum: ['attachment', 'inline'], default: 'attachment' } },
} as const

export default operation({
  name: 'documents',
  context: 'documents',
  summary: 'Lists documents and gives their bytes',
  needs: storeSettings,
  state: createStores,
  routes: [
    route({
      method: 'GET',
      path: '/media',
      who: 'signed-in',
      summary: 'Your documents, newest first; operators may ask for those of a user_id',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, user_id: uuidSchema, document_type: { enum: ['upload', 'statement'] } },
      },
      answers: { 200: pageOf(documentSchema) },
      problems: [problems.notFound],
      async handle({ query: { limit, cursor, user_id: asked, document_type: type }, caller }, { db }) {
        const owner = asked?.toLowerCase() ?? caller.userId
        if (caller.role !== 'operator' && owner !== caller.userId)
          return problem(problems.notFound, `There is no user ${owner}.`)
        const rows = await db.query<DocumentRow>({
          name: 'documents-list',
          text: `select ${DOCUMENT_COLUMNS} from documents
            where user_id = $1 and ($2::uuid is null or id < $2) and ($4::text is null or document_type = $4)
            order by id desc limit $3`,
          values: [owner, decodeCursor(cursor), limit + 1, type],
        })
        return { status: 200, body: page(rows, limit, toDocument), about: { ownerId: owner } }
      },
    }),
    route({
      method: 'GET',
      path: '/media/status',
      who: 'signed-in',
      summary: 'The stores of documents, and which is in use',
      audits: { nothing: 'it tells of no customer' },
      answers: {
        200: {
          type: 'object',
          additionalProperties: false,
          required: ['in_use', 'stores'],
          properties: {
            in_use: { enum: ['s3', 'database'] },
            stores: {
              type: 'array',
              items: {
                type: 'object',
                additionalProperties: false,
                required: ['name', 'configured', 'working', 'next_try_at'],
                properties: {
                  name: { enum: ['s3', 'database'] },
                  configured: { type: 'boolean' },
                  working: { type: 'boolean' },
                  next_try_at: orNull({ type: 'string', format: 'date-time' }),
                },
              },
            },
          },
        },
      },
      async handle(_request, { db }, { bucket }: Stores) {
        const { resting_until: until } = await healthOf(db)
        const configured = bucket !== undefined
        const working = configured && until === null
        const s3 = {
          name: 's3',
          configured,
          working,
          next_try_at: configured ? (until?.toISOString() ?? null) : null,
        }
        const database = { name: 'database', configured: true, working: true, next_try_at: null }
        return { status: 200, body: { in_use: working ? 's3' : 'database', stores: [s3, database] } }
      },
    }),
    route({
      method: 'GET',
      path: '/media/{public_id}',
      who: 'signed-in',
      streams: 'document',
      summary: 'The bytes of a document, to save or, with disposition=inline, to show',
      params: documentParams,
      query: dispositionQuery,
      answers: { 200: fileOf(mediaTypes) },
      problems: fileProblems,
      async handle({ params: { public_id: id }, query, caller }, { db }, stores: Stores) {
        const document = await findDocument(db, id, caller)
        if (!document) return noSuchDocument(id)
        const type = document.media_type
        return (
          unready(document) ?? (await reply(document, stores, { fileId: document.file_id!, type, ...query }))
        )
      },
    }),
    route({
      method: 'GET',
      path: '/media/{public_id}/thumbnail',
      who: 'signed-in',
      streams: 'document',
      summary: 'A small WebP image of an image, to show or to save',
      params: documentParams,
      query: dispositionQuery,
      answers: { 200: fileOf(['image/webp']) },
      problems: fileProblems,
      async handle({ params: { public_id: id }, query, caller }, { db }, stores: Stores) {
        const document = await findDocument(db, id, caller)
        if (!document) return noSuchDocument(id)
        const refused = unready(document)
        if (refused) return refused
        const { thumbnail_id: fileId } = document
        if (!fileId) return problem(problems.notFound, `The document ${id} has no thumbnail.`)
        return reply(document, stores, { fileId, type: 'image/webp', ...query })
      },
    }),
  ],
})

/** Returns the refusal (409) of a document that can't be downloaded. */
function unready({ status, reason }: DocumentRow): Reply | undefined {
  if (status === 'processing')
    return problem(documentProblems.notReady, 'Try again in a few seconds.', {
      headers: { 'retry-after': '2' },
    })
  return status === 'refused' ? problem(documentProblems.refused, reason!) : undefined
}

async function reply(
  document: DocumentRow,
  stores: Stores,
  { fileId, type, disposition }: { fileId: string; type: string; disposition: 'attachment' | 'inline' },
): Promise<Reply> {
  const { contentDisposition } = await import('./content-disposition.ts')
  return {
    status: 200,
    about: { subject: document.id, ownerId: document.user_id },
    headers: {
      ...FILE_HEADERS,
      'content-disposition': contentDisposition(document.file_name, disposition, type),
    },
    stream: {
      mediaType: type === 'text/csv' ? `${type}; charset=utf-8; header=present` : type,
      parts: stores.read(fileId),
    },
  }
}
