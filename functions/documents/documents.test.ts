import { randomUUID } from 'node:crypto'
import { token } from '../../tests/support/host.ts'
import documents from './documents.ts'
import { image, PDF, testDocuments, type TestDocuments } from './testing/documents-fixture.ts'

let bank: TestDocuments
let id: string
let pictureId: string
beforeAll(async () => {
  bank = await testDocuments()
  id = (await bank.upload([{ content: PDF, name: 'Größe „5“ 文.pdf' }])).body.public_id as string
  pictureId = (await bank.upload([{ content: await image('jpeg'), name: 'me.JPEG' }])).body
    .public_id as string
  await bank.process(pictureId)
})
afterAll(() => bank.close())

test('a document comes with headers that let a browser do nothing but save it', async () => {
  const { headers, bytes } = await bank.get(`/media/${id}`)
  expect(bytes.toString()).toBe(PDF)
  expect(headers).toMatchObject({
    'content-type': 'application/pdf',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
  })
  expect(headers['content-disposition']).toMatch(
    /^attachment; filename="[^"]*\.pdf"; filename\*=utf-8''Gr%C3%B6%C3%9Fe/i,
  )
})

test('an image is shown if that is asked for, and its thumbnail is a WebP image', async () => {
  const shown = await bank.get(`/media/${pictureId}?disposition=inline`)
  expect(shown.headers['content-disposition']).toBe('inline; filename=me.jpeg')
  const small = await bank.get(`/media/${pictureId}/thumbnail`)
  expect([small.headers['content-type'], small.headers['content-disposition']]).toEqual([
    'image/webp',
    'attachment; filename=me.webp',
  ])
  expect((await bank.get(`/media/${id}/thumbnail`)).status).toBe(404)
  expect((await bank.get(`/media/${id}?disposition=run`)).status).toBe(400)
})

test('HEAD tells the same without the bytes', async () => {
  const { status, headers, bytes } = await bank.get(`/media/${id}`, bank.customer, 'HEAD')
  expect([status, headers['content-type'], bytes.length]).toEqual([200, 'application/pdf', 0])
})

test('another’s document is not there, on any path', async () => {
  const stranger = await token({ userId: randomUUID() })
  for (const path of [`/media/${id}`, `/media/${pictureId}/thumbnail`, `/media/${randomUUID()}`])
    expect([path, (await bank.get(path, stranger)).status]).toEqual([path, 404])
  expect((await bank.get('/media', stranger)).body.items).toEqual([])
  const [{ user_id: owner }] = (await bank.get('/media')).body.items
  expect((await bank.get(`/media?user_id=${owner}`, stranger)).status).toBe(404)
  for (const path of ['/media', `/media/${id}`, '/media/status'])
    expect([path, (await bank.get(path, '')).status]).toEqual([path, 401])
})

test('an operator reads documents of customers, and the audit says so', async () => {
  const [{ user_id: owner }] = (await bank.get('/media')).body.items
  expect((await bank.get(`/media/${id}`, bank.operator)).bytes.toString()).toBe(PDF)
  expect((await bank.get(`/media?user_id=${owner}`, bank.operator)).body.items).toHaveLength(2)
  const rows = await bank.db.query({
    text: `select route, subject, owner_id, outcome from audit where operation = $1 order by id`,
    values: [documents.name],
  })
  expect(rows).toEqual([
    { route: 'GET /media/{public_id}', subject: id, owner_id: owner, outcome: 'read' },
    { route: 'GET /media', subject: null, owner_id: owner, outcome: 'read' },
  ])
})

test('the list is in pages, newest first', async () => {
  const first = (await bank.get('/media?limit=1')).body
  const second = (await bank.get(`/media?limit=1&cursor=${first.next_cursor}`)).body
  expect([first.items, second.items].map(([item]) => item.public_id)).toEqual([pictureId, id])
  expect(second.next_cursor).toBeNull()
  expect(Object.keys(first.items[0])).not.toContain('file_id')
})

test('without S3, the database is the store', async () => {
  expect((await bank.get('/media/status')).body).toEqual({
    in_use: 'database',
    stores: [
      { name: 's3', configured: false, working: false, next_try_at: null },
      { name: 'database', configured: true, working: true, next_try_at: null },
    ],
  })
})
