import { deflateSync } from 'node:zlib'
import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { token } from '../../tests/support/host.ts'
import processDocument from './process-document.ts'
import { image, PDF, testDocuments, type TestDocuments } from './testing/documents-fixture.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { refusalOf } from './images/make-anew.ts'

let bank: TestDocuments

beforeAll(async () => {
  bank = await testDocuments()
})
afterAll(() => bank.close())

const someone = (): Promise<string> => token({ userId: randomUUID() })

/** Uploads a file and processes it. Resolves with what the bank says of it. */
async function take(content: Buffer | string) {
  const mine = await someone()
  const { body } = await bank.upload([{ content }], { token: mine })
  const id = body.public_id as string
  expect(await bank.process(id)).toBe(204)
  const [document] = (await bank.get('/media', mine)).body.items
  return { id, mine, uploaded: body, document }
}

const photo = async (): Promise<Buffer> =>
  sharp(await image('jpeg', 60, 30))
    .withExif({
      IFD0: { Copyright: 'somebody', Orientation: '6' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
    })
    .withMetadata({ orientation: 6 })
    .toBuffer()

test('of a photo nothing remains but its pixels, upright', async () => {
  const content = await photo()
  expect(await sharp(content).metadata()).toMatchObject({ orientation: 6, exif: expect.any(Buffer) })
  const { id, mine, document } = await take(content)
  expect(document).toMatchObject({ status: 'ready', width: 30, height: 60, reason: null })
  const { bytes } = await bank.get(`/media/${id}`, mine)
  expect(document.size).toBe(bytes.length)
  const made = await sharp(bytes).metadata()
  expect([made.format, made.width, made.height]).toEqual(['jpeg', 30, 60])
  expect([made.exif, made.icc, made.xmp, made.iptc, made.orientation]).toEqual(Array(5).fill(undefined))
  expect(await bank.events(id)).toEqual(['document.uploaded', 'document.processed'])
})

test('a thumbnail is a small WebP image', async () => {
  const { id, mine } = await take(await image('png', 1000, 500))
  const { headers, bytes } = await bank.get(`/media/${id}/thumbnail`, mine)
  expect(headers['content-type']).toBe('image/webp')
  const { format, width, height } = await sharp(bytes).metadata()
  expect([format, width, height]).toEqual(['webp', 320, 160])
})

test.each(['png', 'jpeg', 'webp'] as const)('what stands behind a %s image is gone', async (format) => {
  const { id, mine, document } = await take(
    Buffer.concat([await image(format), Buffer.from('<script>alert(1)</script>PK\x03\x04')]),
  )
  expect(document.status).toBe('ready')
  const { bytes } = await bank.get(`/media/${id}`, mine)
  expect(bytes.includes('<script>')).toBe(false)
  expect((await sharp(bytes).metadata()).format).toBe(format)
})

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

function crc32(bytes: Buffer): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  return ~crc >>> 0
}

/** A PNG that says it has this size. Its pixels are all zero, so they take hardly any bytes. */
function png(width: number, height: number, bytesOfPixels: number): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 6, 0, 0, 0], 8)
  const pixels = deflateSync(Buffer.alloc(bytesOfPixels))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test.each<[what: string, content: () => Buffer | Promise<Buffer>, reason: RegExp]>([
  ['an image of 2.5 billion pixels', () => png(50_000, 50_000, 1_000), /million pixels/],
  ['an image of 41 million pixels', () => png(6_400, 6_500, 1_000_000), /million pixels/],
  ['an image that is a line', () => png(1_000_000, 1, 1_000), /side above/],
  ['an image without enough pixels', () => png(100, 100, 50), /damaged/],
  ['a JPEG that is cut off', async () => (await image('jpeg', 400, 400)).subarray(0, 900), /damaged/],
  ['a PNG that is cut off', async () => (await image('png', 400, 400)).subarray(0, 300), /damaged/],
  ['a WebP image that is cut off', async () => (await image('webp', 400, 400)).subarray(0, 60), /damaged/],
  ['a JPEG that is none', () => Buffer.from('\xff\xd8\xff<script>', 'latin1'), /damaged/],
])('%s is refused, and its bytes are removed', async (_what, content, reason) => {
  const { id, mine, document } = await take(await content())
  expect(document).toMatchObject({ status: 'refused', reason: expect.stringMatching(reason) })
  const answer = await bank.get(`/media/${id}`, mine)
  expect([answer.status, answer.body.detail]).toEqual([409, document.reason])
  const files = await bank.db.query({
    text: `select from stored_files f where not exists (select from documents d where f.id in (d.file_id, d.thumbnail_id))`,
  })
  expect(files).toEqual([])
  expect(await bank.events(id)).toEqual(['document.uploaded', 'document.processed'])
})

test('an event that comes many times, at once and later, has one effect', async () => {
  const { body } = await bank.upload([{ content: await image('png') }])
  const id = body.public_id as string
  const statuses = await Promise.all(Array.from({ length: 4 }, () => bank.process(id)))
  // One that looks for bytes that have been replaced a moment ago is delivered again.
  expect(statuses.filter((status) => status !== 204 && status !== 503)).toEqual([])
  expect(await bank.process(id)).toBe(204)
  expect(await bank.events(id)).toEqual(['document.uploaded', 'document.processed'])
  const [{ left }] = (await bank.db.query<{ left: bigint }>({
    text: `select count(*) as left from stored_files f
      where not exists (select from documents d where f.id in (d.file_id, d.thumbnail_id))`,
  })) as [{ left: bigint }]
  expect(Number(left)).toBe(0)
})

test('an image for which the time does not suffice is not refused, but tried again', () => {
  expect(() => refusalOf(new Error('timeout: 42% complete'))).toThrow(UnavailableError)
  expect(refusalOf(new Error('VipsJpeg: premature end of JPEG image'))).toMatchObject({ kind: 'refused' })
  expect(refusalOf(new Error('Input image exceeds pixel limit'))).toMatchObject({ kind: 'refused' })
})

test('an event that nobody signed is refused', async () => {
  const { body } = await bank.upload([{ content: await image('png') }])
  const { status } = await bank.functions.processDocument.request('POST', '/events', {
    headers: {
      host: `${processDocument.name}.bank.svc.cluster.local`,
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-type': 'document.uploaded',
      'ce-source': '/microbank/documents',
    },
    body: { document_id: body.public_id },
  })
  expect(status).toBe(500)
  expect((await bank.get(`/media/${body.public_id}`)).status).toBe(409)
})

test('the event of a PDF, and of a document that has been deleted, changes nothing', async () => {
  const pdf = (await bank.upload([{ content: PDF }])).body.public_id as string
  expect(await bank.process(pdf)).toBe(204)
  expect(await bank.events(pdf)).toEqual(['document.uploaded'])
  const gone = (await bank.upload([{ content: await image('png') }])).body.public_id as string
  expect((await bank.remove(gone)).status).toBe(204)
  expect(await bank.process(gone)).toBe(204)
  expect(await bank.events(gone)).toEqual(['document.uploaded', 'document.deleted'])
})

test('an image whose event was lost is processed after all: the sweep states it again, but not for ever', async () => {
  const { body } = await bank.upload([{ content: await image('png') }])
  const id = body.public_id as string
  const age = (timesStated: number, minutes: number) =>
    bank.db.query({
      text: `update documents set stated_at = now() - make_interval(mins => $3), times_stated = $2 where id = $1`,
      values: [id, timesStated, minutes],
    })
  await bank.sweep()
  expect(await bank.events(id)).toHaveLength(1)
  // The fourth wait is eight times as long as the first.
  await age(4, 110)
  await bank.sweep()
  expect(await bank.events(id)).toHaveLength(1)
  await age(4, 121)
  await bank.sweep()
  expect(await bank.events(id)).toHaveLength(2)
  // The clock was set back since.
  await bank.db.query({
    text: `update documents set stated_at = now() + interval '2 hours', times_stated = 4 where id = $1`,
    values: [id],
  })
  await bank.sweep()
  expect(await bank.events(id)).toHaveLength(3)
  await age(12, 60 * 24 * 60)
  await bank.sweep()
  expect(await bank.events(id)).toEqual(Array(3).fill('document.uploaded'))
  expect(await bank.process(id)).toBe(204)
  expect((await bank.get(`/media/${id}`)).status).toBe(200)
})
