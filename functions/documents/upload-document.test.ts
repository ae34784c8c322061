import { createHash, randomUUID } from 'node:crypto'
import net from 'node:net'
import { token } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { testGateway, type TestGateway } from '../ledger/testing/gateway-fixture.ts'
import {
  BOUNDARY,
  image,
  multipart,
  PDF,
  pdfOf,
  send,
  testDocuments,
  type Part,
  type TestDocuments,
} from './testing/documents-fixture.ts'
import uploadDocument from './upload-document.ts'

const MIB = 1024 * 1024
let bank: TestDocuments
/** Stands in for the function `users`. */
let gateway: TestGateway

beforeAll(async () => {
  gateway = await testGateway()
  bank = await testDocuments({
    ...{ DOCUMENTS_PER_CUSTOMER_MAX: '4', DOCUMENT_MIB_PER_CUSTOMER_MAX: '21' },
    LOCAL_GATEWAY: gateway.address,
  })
})
afterAll(async () => {
  await bank.close()
  await gateway.close()
})

const someone = (): Promise<string> => token({ userId: randomUUID() })

/** Numbers of rows: after a refusal there are as many as before. */
const counts = async () =>
  (
    await bank.db.query({
      text: `select (select count(*) from documents) as documents, (select count(*) from outbox) as events,
        (select count(*) from stored_files) as files, (select count(*) from file_pieces) as pieces,
        (select count(*) from idempotency_keys) as keys, (select count(*) from audit) as audit`,
    })
  )[0]

test.each(['png', 'jpeg', 'webp'] as const)('a %s image is taken, and processed later', async (format) => {
  const content = await image(format)
  const { status, body, headers } = await bank.upload([{ content, name: 'x.txt' }], {
    token: await someone(),
  })
  expect([status, body]).toEqual([
    201,
    expect.objectContaining({
      status: 'processing',
      media_type: `image/${format}`,
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      thumbnail_url: `/api/media/${body.public_id}/thumbnail`,
    }),
  ])
  expect(headers.location).toBe(`/api/media/${body.public_id}`)
  expect(await bank.events(body.public_id)).toEqual(['document.uploaded'])
  expect((await bank.get(`/media/${body.public_id}`, bank.operator)).body.type).toMatch(/document-not-ready$/)
})

test('a PDF is ready at once, and comes back as it was', async () => {
  const mine = await someone()
  const content = pdfOf(10 * MIB)
  const { status, body } = await bank.upload([{ content, name: 'a.pdf' }], { token: mine })
  expect([status, body.status, body.size]).toEqual([201, 'ready', 10 * MIB])
  const { bytes } = await bank.get(`/media/${body.public_id}`, mine)
  expect(bytes.equals(content)).toBe(true)
})

const file = (content: Buffer | string, more: Partial<Part> = {}): Part[] => [{ content, ...more }]

test.each<[what: string, parts: Part[], status: number, problem: string]>([
  ['a file of 10 MiB and a byte', file(pdfOf(10 * MIB + 1)), 413, 'file-too-large'],
  ['an empty file', file(''), 415, 'file-type-not-accepted'],
  ['a program', file('MZ\x90\0', { name: 'a.png' }), 415, 'file-type-not-accepted'],
  ['a page', file('<html><script>', { name: 'a.pdf' }), 415, 'file-type-not-accepted'],
  ['an SVG image', file('<svg xmlns="http://www.w3.org/2000/svg"/>'), 415, 'file-type-not-accepted'],
  ['a GIF image', file('GIF89a'), 415, 'file-type-not-accepted'],
  ['a PDF behind a program', file(`MZ\x90\0${PDF}`), 415, 'file-type-not-accepted'],
  ['a PDF that is cut off', file('%PDF-1.4\n1 0 obj'), 415, 'file-type-not-accepted'],
  ['a PNG that is cut off in its signature', file('\x89PNG'), 415, 'file-type-not-accepted'],
  ['two files', [{ content: PDF }, { content: PDF }], 400, 'invalid-input'],
  ['a file and a field', [{ content: PDF }, { field: 'a', name: null, content: 'b' }], 400, 'invalid-input'],
  ['a field and a file', [{ field: 'a', name: null, content: 'b' }, { content: PDF }], 400, 'invalid-input'],
  ['no part', [], 400, 'invalid-input'],
  ['a field in place of the file', [{ name: null, content: PDF }], 400, 'invalid-input'],
  ['a file in another field', file(PDF, { field: 'files' }), 400, 'invalid-input'],
  ['a part with huge headers', file(PDF, { headers: `X-A: ${'a'.repeat(20_000)}\r\n` }), 201, ''],
  // They are read and forgotten.
  ['a part with a hundred headers', file(PDF, { headers: 'X-A: a\r\n'.repeat(100) }), 201, ''],
  [
    'a multipart body inside the file',
    file(multipart(file(PDF)).toString().replaceAll(BOUNDARY, 'b'), {
      headers: 'Content-Type: multipart/mixed; boundary=b\r\n',
    }),
    415,
    'file-type-not-accepted',
  ],
])('%s', async (_what, parts, status, problem) => {
  const before = await counts()
  const answer = await bank.upload(parts, { token: await someone() })
  expect([answer.status, answer.body.type?.split('/').pop() ?? '']).toEqual([status, problem])
  if (status !== 201) expect(await counts()).toEqual(before)
})

const STRANGE = `--${BOUNDARY}\r\nX-A: a\r\n\r\nx\r\n`

test.each<[what: string, type: string | undefined, body: string, status: number]>([
  ['no content type', undefined, PDF, 415],
  ['JSON', 'application/json', '{}', 415],
  ['no boundary', 'multipart/form-data', multipart(file(PDF)).toString(), 415],
  ['another boundary', 'multipart/form-data; boundary=other', multipart(file(PDF)).toString(), 400],
  ['a boundary of 300 characters', `multipart/form-data; boundary=${'b'.repeat(300)}`, 'x', 415],
  ['no end', `multipart/form-data; boundary=${BOUNDARY}`, multipart(file(PDF)).toString().slice(0, 150), 400],
  ['no body', `multipart/form-data; boundary=${BOUNDARY}`, '', 400],
  // The parser itself says nothing of a part that is no field of a form.
  ...[1, 10_000].flatMap((count): [string, string, string, number][] => {
    const [type, whole] = [`multipart/form-data; boundary=${BOUNDARY}`, multipart(file(PDF)).toString()]
    const [strange, end] = [STRANGE.repeat(count), `--${BOUNDARY}--\r\n`]
    return [
      [`${count} strange parts before the file`, type, strange + whole, 400],
      [`${count} strange parts after the file`, type, whole.slice(0, -end.length) + strange + end, 400],
    ]
  }),
])('a body with %s is refused', async (_what, type, body, status) => {
  const before = await counts()
  const { status: got } = await send(bank.functions.uploadDocument.url, Buffer.from(body), {
    token: await someone(),
    headers: { 'content-type': type ?? '' },
  })
  expect(got).toBe(status)
  expect(await counts()).toEqual(before)
})

test('without a token nothing is read', async () => {
  const answer = await bank.upload(file(PDF), { token: undefined })
  expect(answer.status).toBe(401)
})

test('an endless body is refused when it passes the limit, and one that breaks off leaves nothing', async () => {
  const before = await counts()
  const mine = await someone()
  const begin =
    `POST /media/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${mine}\r\n` +
    `content-type: multipart/form-data; boundary=${BOUNDARY}\r\ntransfer-encoding: chunked\r\n\r\n`
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-1.4\n`
  const chunk = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n`
  const port = Number(new URL(bank.functions.uploadDocument.url).port)
  let heard = ''
  const endless = net.connect(port, '127.0.0.1')
  endless.write(begin + chunk(head))
  endless.on('error', () => undefined).on('data', (bytes: Buffer) => (heard += bytes.toString()))
  const more = chunk('a'.repeat(64 * 1024))
  await until(() => {
    if (endless.writableLength < MIB) endless.write(more)
    return heard.includes('HTTP/1.1')
  })
  expect(heard).toMatch(/^HTTP\/1.1 413[\s\S]*file-too-large/)
  endless.destroy()

  const broken = net.connect(port, '127.0.0.1')
  await new Promise<void>((written) =>
    broken.write(begin + chunk(head) + more.slice(0, 900), () => written()),
  )
  broken.destroy()
  expect(await counts()).toEqual(before)
})

test('the same key and file is one document; another file with the key is refused', async () => {
  const options = { token: await someone(), headers: { 'idempotency-key': randomUUID() } }
  const first = await bank.upload(file(PDF), options)
  const again = await bank.upload(file(PDF, { name: 'another name' }), options)
  expect([first.status, again.status, again.headers['idempotency-replayed']]).toEqual([201, 201, 'true'])
  expect(again.body).toEqual(first.body)
  expect((await bank.upload(file(pdfOf(99)), options)).status).toBe(422)
  expect((await bank.get('/media', options.token)).body.items).toHaveLength(1)
  const other = { ...options, token: await someone() }
  expect((await bank.upload(file(pdfOf(99)), other)).status).toBe(201)
  const bad = { ...options, headers: { 'idempotency-key': 'a key' } }
  expect((await bank.upload(file(PDF), bad)).status).toBe(400)
})

test('the same key ten times at once is one document, and no bytes are left of the others', async () => {
  const options = { token: await someone(), headers: { 'idempotency-key': randomUUID() } }
  const files = async () => Number((await counts())!.files)
  const before = await files()
  const answers = await Promise.all(Array.from({ length: 10 }, () => bank.upload(file(PDF), options)))
  expect(new Set(answers.map(({ status }) => status)).has(201)).toBe(true)
  expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true)
  expect((await bank.get('/media', options.token)).body.items).toHaveLength(1)
  expect(await files()).toBe(before + 1)
})

test('together uploads of a customer never pass their limits', async () => {
  const mine = await someone()
  const many = await Promise.all(Array.from({ length: 8 }, () => bank.upload(file(PDF), { token: mine })))
  expect(many.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 409, 409, 409, 409])
  expect(many.find(({ status }) => status === 409)!.body.type).toMatch(/document-limit-reached$/)
  const other = await someone()
  const large = await Promise.all(
    Array.from({ length: 3 }, () => bank.upload(file(pdfOf(10 * MIB)), { token: other })),
  )
  expect(large.map(({ status }) => status).sort()).toEqual([201, 201, 409])
})

test('the bytes of a refused image, which are gone, leave their room to others', async () => {
  const mine = await someone()
  const broken = Buffer.concat([Buffer.from('\xff\xd8\xff', 'latin1'), Buffer.alloc(10 * MIB - 3)])
  for (let n = 0; n < 2; n++) {
    const { body } = await bank.upload(file(broken), { token: mine })
    expect(await bank.process(body.public_id)).toBe(204)
  }
  expect((await bank.upload(file(pdfOf(2 * MIB)), { token: mine })).status).toBe(201)
})

test('an upload is in the audit', async () => {
  const { body } = await bank.upload(file(PDF), { token: await someone() })
  const [row] = await bank.db.query({
    text: 'select route, owner_id, outcome, details from audit where subject = $1 and operation = $2',
    values: [body.public_id, uploadDocument.name],
  })
  expect(row).toEqual({
    route: 'POST /media/upload',
    owner_id: body.user_id,
    outcome: 'changed',
    details: null,
  })
})

describe('an operator uploads for a customer', () => {
  const forUser = (id: string) => `/media/upload?user_id=${id}`

  test('the document is the customer’s, says that the bank did it, and the audit says who', async () => {
    const [userId, operatorId] = [randomUUID(), randomUUID()]
    gateway.users.add(userId)
    const operator = await token({ userId: operatorId, role: 'operator' })
    const options = { token: operator, headers: { 'idempotency-key': randomUUID() } }
    const sent = { ...options, path: forUser(userId.toUpperCase()) }
    const { status, body } = await bank.upload(file(PDF), sent)
    expect([status, body]).toEqual([201, expect.objectContaining({ user_id: userId, by_bank: true })])
    const mine = await token({ userId })
    expect((await bank.get('/media', mine)).body.items).toEqual([body])
    expect((await bank.get(`/media/${body.public_id}`, mine)).bytes.toString()).toBe(PDF)
    const own = (await bank.upload(file(PDF), { token: mine })).body
    expect([own.user_id, own.by_bank]).toEqual([userId, false])
    const rows = await bank.db.query({
      text: 'select caller_id, owner_id, outcome from audit where subject = $1 and operation = $2',
      values: [body.public_id, uploadDocument.name],
    })
    expect(rows).toEqual([{ caller_id: operatorId, owner_id: userId, outcome: 'changed' }])

    const again = await bank.upload(file(PDF), sent)
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([body, 'true'])
    // The key stands for a document of that customer.
    const other = randomUUID()
    gateway.users.add(other)
    expect((await bank.upload(file(PDF), { ...options, path: forUser(other) })).status).toBe(422)
    expect((await bank.upload(file(PDF), options)).status).toBe(422)
  })

  test('the room is the customer’s, and not the operator’s', async () => {
    const userId = randomUUID()
    gateway.users.add(userId)
    const mine = await token({ userId })
    for (let n = 0; n < 4; n++) expect((await bank.upload(file(PDF), { token: mine })).status).toBe(201)
    const { body } = await bank.upload(file(PDF), { token: bank.operator, path: forUser(userId) })
    expect(body.type).toMatch(/document-limit-reached$/)
  })

  test('a customer may not, nobody may for a user whom nobody knows, and nothing is left', async () => {
    const before = await counts()
    const known = randomUUID()
    gateway.users.add(known)
    const tries: [string, string, number][] = [
      [await someone(), known, 403],
      [bank.operator, randomUUID(), 404],
      [bank.operator, 'ada', 400],
    ]
    for (const [bearer, id, status] of tries)
      expect((await bank.upload(file(PDF), { token: bearer, path: forUser(id) })).status).toBe(status)
    expect(await counts()).toEqual(before)
  })
})
