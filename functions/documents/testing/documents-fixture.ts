import { randomUUID } from 'node:crypto'
import http from 'node:http'
import sharp from 'sharp'
import { documentUploaded } from '../../../eventing/contracts/document.uploaded.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { deliverStored, deliverTick } from '../../../tests/support/events.ts'
import { startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { openDatabase, type Database } from '../../host/database/database.ts'
import { createLog } from '../../../monitoring/log.ts'
import deleteDocument from '../delete-document.ts'
import documents from '../documents.ts'
import fileStatement from '../file-statement.ts'
import processDocument from '../process-document.ts'
import sweepDocuments from '../sweep-documents.ts'
import uploadDocument from '../upload-document.ts'

const operations = {
  uploadDocument,
  documents,
  fileStatement,
  deleteDocument,
  processDocument,
  sweepDocuments,
}

export interface Got {
  status: number
  headers: http.IncomingHttpHeaders
  bytes: Buffer
  /** The bytes as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

export interface Part {
  field?: string
  name?: string | null
  content: Buffer | string
  headers?: string
}

/** The functions of this context over a database of their own. */
export type TestDocuments = Awaited<ReturnType<typeof testDocuments>>

export async function testDocuments(env: Record<string, string> = {}) {
  const database: TestDatabase = await testDatabase('documents')
  const given = { DOCUMENTS_DATABASE_URL: database.url, BROKER_URL: 'http://127.0.0.1:9/', ...env }
  const started = await Promise.all(
    Object.entries(operations).map(async ([name, one]) => [name, await startFunction(one, given)] as const),
  )
  const functions = Object.fromEntries(started) as Record<keyof typeof operations, TestFunction>
  const log = createLog({}, 'off')
  const db: Database = openDatabase({ url: database.superuserUrl, poolMax: 2, name: 'test', log })
  const customer = await token({ userId: randomUUID() })
  const operator = await token({ userId: randomUUID(), role: 'operator' })

  return {
    db,
    database,
    functions,
    customer,
    operator,
    upload: (parts: readonly Part[], options: SendOptions = {}) =>
      send(functions.uploadDocument.url, multipart(parts), { token: customer, ...options }),
    get: (path: string, bearer = customer, method = 'GET') =>
      send(functions.documents.url, undefined, { token: bearer, method, path }),
    remove: (id: string, bearer = customer) =>
      functions.deleteDocument.request('DELETE', `/media/${id}`, { token: bearer }),
    /** Delivers the latest event that says the document was uploaded. */
    process: async (id: string) =>
      (await deliverStored(db, functions.processDocument, documentUploaded, id)).status,
    async sweep() {
      const { status } = await deliverTick(functions.sweepDocuments, 'sweep-documents')
      return status
    },
    /** The types of the events about a document, in order. */
    events: async (id: string) =>
      (
        await db.query<{ type: string }>({
          text: 'select type from outbox where subject = $1 order by id',
          values: [id],
        })
      ).map(({ type }) => type),
    async close() {
      await Promise.all(Object.values(functions).map((one) => one.stop()))
      await db.close()
      await database.drop()
    },
  }
}

export const BOUNDARY = '----a-boundary'

/** A multipart body with these parts; by default each is the file. */
export function multipart(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ field = 'file', name = 'a file', content, headers = '' }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"` +
        `${name === null ? '' : `; filename="${name}"`}\r\n${headers}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)])
}

export interface SendOptions {
  token?: string | undefined
  method?: string
  path?: string
  headers?: Record<string, string>
}

/** Sends a request on a connection of its own. */
export function send(
  url: string,
  body: Buffer | undefined,
  { token: bearer, method, path = '/media/upload', headers = {} }: SendOptions = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, {
      method: method ?? (body ? 'POST' : 'GET'),
      agent: false,
      headers: {
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...(body && {
          'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
          'content-length': body.length,
        }),
        ...headers,
      },
    })
    request.on('error', reject).end(body)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(parts)
        const isJson = /json/.test(response.headers['content-type'] ?? '')
        const body = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, body })
      })
    })
  })
}

export const PDF = '%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n'

/** A PDF of this many bytes. */
export const pdfOf = (bytes: number): Buffer => {
  const made = Buffer.alloc(bytes, '%a comment\n')
  made.write('%PDF-1.4\n', 0)
  made.write('\n%%EOF\n', bytes - 7)
  return made
}

/** An image of one colour. */
export const image = (format: 'png' | 'jpeg' | 'webp', width = 40, height = 20): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#1a7f5a' } })
    .toFormat(format)
    .toBuffer()
