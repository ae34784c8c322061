import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import {
  image,
  multipart,
  pdfOf,
  send,
  type Got,
  type SendOptions,
} from '../../functions/documents/testing/documents-fixture.ts'
import type { TestS3 } from '../../functions/documents/testing/s3-fixture.ts'
import type { Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import { whileKilling } from '../support/killing.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Documents in a whole bank, through its front door, with a store that speaks S3. */

const MIB = 1024 * 1024
let s3: TestS3
let bank: Bank
let ada: Customer

export function documents(one: () => OneBank): void {
  beforeAll(async () => {
    s3 = one().s3
    bank = one().bank
    ada = await registerCustomer(bank)
  })

  const upload = (content: Buffer, headers: SendOptions['headers'] = {}): Promise<Got> =>
    send(bank.url, multipart([{ content }]), { token: ada.token, path: '/api/media/upload', headers })

  const get = (path: string): Promise<Got> =>
    send(bank.url, undefined, { token: ada.token, path: `/api${path}` })

  const find = async (id: string) =>
    ((await get('/media?limit=200')).body.items as { public_id: string; status: string }[]).find(
      ({ public_id }) => public_id === id,
    )

  test('a file of 10 MiB passes all hops, there and back; one byte more does not', async () => {
    const content = pdfOf(10 * MIB)
    const { status, body } = await upload(content, { expect: '100-continue' })
    expect([status, body.status]).toEqual([201, 'ready'])
    expect((await get(`/media/${body.public_id}`)).bytes.equals(content)).toBe(true)
    const larger = await upload(pdfOf(10 * MIB + 1))
    expect([larger.status, larger.body.type]).toEqual([413, expect.stringMatching(/file-too-large$/)])
    expect((await get('/media/status')).body.in_use).toBe('s3')
  })

  test('a statement is filed by way of the ledger, and comes back as the ledger makes it', async () => {
    const from = '2026-01-01'
    const account = await ada.openAccount('checking')
    await ada.transact({ type: 'deposit', account_id: account, amount: '900.00' })
    // Before now by the clock of the database.
    const [now] = await bank.sql<{ to: string }>('ledger', `select to_json(now()) #>> '{}' as to`)
    const to = new Date(now!.to).toISOString()
    const { status, body } = await bank.call('POST', '/api/documents/statements', {
      token: ada.token,
      body: { account_id: account, from, to, format: 'csv' },
    })
    expect([status, body.document_type]).toEqual([201, 'statement'])
    const filed = await get(`/media/${body.public_id}`)
    const made = await get(`/accounts/${account}/statement?from=${from}&to=${to}&format=csv`)
    expect([filed.status, made.status]).toEqual([200, 200])
    expect(filed.bytes.toString()).toBe(made.bytes.toString())
    expect(filed.bytes.toString()).toContain('900.00')
  })

  test('documents while functions die: each is there once, processed, and no bytes are left of others', async () => {
    const contents = await Promise.all(Array.from({ length: 8 }, (_, i) => image('png', 20 + i, 20)))
    let answers = 0
    const taken: string[] = []
    const take = async (content: Buffer): Promise<void> => {
      const key = randomUUID()
      const { body } = await until(
        async () => {
          const answer = await upload(content, { 'idempotency-key': key })
          answers++
          return answer.status === 201 && answer
        },
        { timeoutMs: 240_000, everyMs: 100, what: 'a document to be taken' },
      )
      taken.push(body.public_id as string)
    }
    await whileKilling(bank, { answers: () => answers, servers: [] }, async () => {
      for (const content of contents) await take(content)
    })
    expect(new Set(taken).size).toBe(contents.length)
    for (const [i, id] of taken.entries()) {
      await until(async () => (await find(id))?.status === 'ready', {
        timeoutMs: 240_000,
        everyMs: 200,
        what: `document ${i} to be processed`,
      })
      const made = await sharp((await get(`/media/${id}`)).bytes).metadata()
      expect([made.width, made.height]).toEqual([20 + i, 20])
      expect((await get(`/media/${id}/thumbnail`)).status).toBe(200)
    }
    expect(
      await bank.sql(
        'documents',
        `select count(*)::int as n from documents where media_type = 'image/png' and user_id = '${ada.id}'`,
      ),
    ).toEqual([{ n: contents.length }])

    // What the killed ones left is removed when it is old.
    await bank.sql(
      'documents',
      `update stored_files set created_at = now() - interval '2 hours', s3_written_at = now() - interval '2 hours'
      where state <> 'whole'`,
    )
    await bank.ping('sweep-documents')
    const rows = await bank.sql<{ id: string }>('documents', 'select id from stored_files order by id')
    expect((await s3.names()).sort()).toEqual(rows.map(({ id }) => id))
  })
}
