import { randomUUID } from 'node:crypto'
import { token } from '../../tests/support/host.ts'
import deleteDocument from './delete-document.ts'
import { PDF, testDocuments, type TestDocuments } from './testing/documents-fixture.ts'

let bank: TestDocuments
beforeAll(async () => {
  bank = await testDocuments()
})
afterAll(() => bank.close())

const upload = async (): Promise<string> => (await bank.upload([{ content: PDF }])).body.public_id as string

test('its owner deletes a document: then it is gone, with its bytes', async () => {
  const id = await upload()
  expect((await bank.remove(id)).status).toBe(204)
  expect((await bank.get(`/media/${id}`)).status).toBe(404)
  expect((await bank.remove(id)).status).toBe(404)
  for (const table of ['documents', 'stored_files', 'file_pieces'])
    expect(await bank.db.query({ text: `select from ${table}` })).toEqual([])
  expect(await bank.events(id)).toEqual(['document.uploaded', 'document.deleted'])
})

test('an operator deletes a document, and the audit says whose it was', async () => {
  const id = await upload()
  expect((await bank.remove(id, bank.operator)).status).toBe(204)
  const rows = await bank.db.query<{ caller_role: string; owner_id: string }>({
    text: `select caller_role, owner_id from audit where subject = $1 and operation = $2`,
    values: [id, deleteDocument.name],
  })
  expect(rows).toEqual([{ caller_role: 'operator', owner_id: expect.any(String) }])
})

test('another’s document, one that does not exist and no token change nothing', async () => {
  const id = await upload()
  const stranger = await token({ userId: randomUUID() })
  const answers = await Promise.all([
    bank.remove(id, stranger),
    bank.remove(randomUUID()),
    bank.remove(id, ''),
  ])
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 401])
  expect((await bank.remove('no-id')).status).toBe(404)
  expect((await bank.get(`/media/${id}`)).status).toBe(200)
})

test('deleting it many times at once is one deletion', async () => {
  const id = await upload()
  const answers = await Promise.all(Array.from({ length: 6 }, () => bank.remove(id)))
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404, 404, 404])
  expect(await bank.events(id)).toEqual(['document.uploaded', 'document.deleted'])
})
