import { randomUUID } from 'node:crypto'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { deliverExample } from '../../tests/support/events.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import forgetDocuments from './forget-documents.ts'
import { forgetLeft } from './left-customers.ts'
import type { Stores } from './stores/stores.ts'
import { image, PDF, testDocuments, type TestDocuments } from './testing/documents-fixture.ts'

let bank: TestDocuments
let consumer: TestFunction
beforeAll(async () => {
  bank = await testDocuments()
  consumer = await startFunction(forgetDocuments, {
    DOCUMENTS_DATABASE_URL: bank.database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
})
afterAll(async () => {
  await consumer.stop()
  await bank.close()
})

const leave = async (userId: string) =>
  expect(await deliverExample(consumer, userDeleted, { user_id: userId })).toMatchObject({
    status: 204,
  })
const forgottenAt = async (userId: string) =>
  (
    await bank.db.query<{ forgotten_at: Date | null }>({
      text: 'select forgotten_at from left_customers where user_id = $1',
      values: [userId],
    })
  )[0]!.forgotten_at

const files = async () => (await bank.db.query({ text: 'select from stored_files' })).length

// A busy machine may need more than one sweep. The Broker is away, so each says that events were
// left. It has done the rest.
const sweepUntilLeft = (count: number) =>
  until(async () => (await bank.sweep()) === 503 && (await files()) === count)

test('all documents of a customer who left are deleted with their bytes, and nobody else’s', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  const [asAda, asBob] = [await token({ userId: ada }), await token({ userId: bob })]
  const upload = async (bearer: string, content: Buffer | string = PDF) =>
    (await bank.upload([{ content }], { token: bearer })).body.public_id as string
  const theirs = []
  for (let n = 0; n < 21; n++) theirs.push(await upload(asAda))
  theirs.push(await upload(asAda, await image('png')))
  expect(await bank.process(theirs.at(-1)!)).toBe(204)
  const kept = await upload(asBob)
  await bank.db.query({
    text: `update documents set document_type = 'statement', account_id = $1, period_from = now(), period_to = now()
      where id = $2`,
    values: [randomUUID(), theirs[0]],
  })

  for (let n = 0; n < 2; n++) await leave(ada)
  expect((await bank.get(`/media/${theirs[0]}`, asAda)).status).toBe(200)
  await sweepUntilLeft(1)
  for (const id of theirs) expect((await bank.get(`/media/${id}`, asAda)).status).toBe(404)
  expect((await bank.get(`/media/${kept}`, asBob)).status).toBe(200)
  expect(await bank.events(theirs[0]!)).toEqual(['document.uploaded', 'document.deleted'])

  // A token from before is still good, and what was under way when they left may come later.
  expect(await forgottenAt(ada)).toBeNull()
  const refused = await bank.upload([{ content: PDF }], { token: asAda })
  expect([refused.status, refused.body.type]).toEqual([403, 'https://microbank.dev/problems/customer-left'])
  await bank.db.query({ text: `update left_customers set left_at = now() - interval '2 hours'` })
  expect(await bank.sweep()).toBe(503)
  expect(await forgottenAt(ada)).not.toBeNull()
})

test('a store that is slow holds up no sweep: bytes that are left wait for the next one', async () => {
  const carl = randomUUID()
  const bearer = await token({ userId: carl })
  const before = await files()
  for (let n = 0; n < 3; n++) await bank.upload([{ content: PDF }], { token: bearer })
  await leave(carl)
  let removals = 0
  const slow = {
    async remove(ids: readonly unknown[]) {
      for (let n = 0; n < ids.length; n++, removals++)
        await new Promise((resolve) => setTimeout(resolve, 400))
    },
  }
  const { tools } = bank.functions.sweepDocuments
  await forgetLeft(tools, slow as unknown as Stores, '', performance.now() + 1_000)
  // Each document has a file, and could have a thumbnail.
  expect(removals).toBeLessThan(6)
  const left = { text: 'select from documents where user_id = $1', values: [carl] }
  expect(await bank.db.query(left)).toEqual([])
  await sweepUntilLeft(before)
})

test('what identity did not sign deletes nothing', async () => {
  const forged = { ...userDeleted, context: 'payments' }
  const { status } = await deliverExample(consumer, forged, { user_id: randomUUID() })
  expect(status).toBe(500)
})
