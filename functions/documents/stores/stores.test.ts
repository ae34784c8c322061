import { createHash, randomUUID } from 'node:crypto'
import http from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { token } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { image, PDF, pdfOf, testDocuments, type TestDocuments } from '../testing/documents-fixture.ts'
import { startS3, unlessSilent, type TestS3 } from '../testing/s3-fixture.ts'
import type { Statement } from '../../host/database/database.ts'
import { getObject, putObject, SILENT_MS_MAX } from './s3.ts'
import { createStores, type Stores } from './stores.ts'
import { removeMoved } from './sweep-stores.ts'

/** Documents over a store that fails. Each test but the last leaves the store working. */

const MIB = 1024 * 1024
let s3: TestS3
let bank: TestDocuments

beforeAll(async () => {
  s3 = await startS3()
  bank = await testDocuments(s3.env)
})
afterAll(async () => {
  await bank.close()
  await s3.kill()
})

interface FileRow {
  id: string
  state: string
  store: string
}

const filesOf = (id: string): Promise<FileRow[]> =>
  bank.db.query<FileRow>({
    text: `select f.id, f.state, f.store from stored_files f
      join documents d on f.id in (d.file_id, d.thumbnail_id) where d.id = $1`,
    values: [id],
  })
const storesOf = async (id: string): Promise<string[]> => (await filesOf(id)).map(({ store }) => store)
const sql = (text: string): Promise<object[]> => bank.db.query({ text })
/** Lets the store be tried at once. */
const endRest = (): Promise<object[]> => sql(`update store_health set failures = 0, resting_until = null`)
const status = async () => (await bank.get('/media/status')).body
const upload = async (content: Buffer | string = PDF, bearer = bank.customer): Promise<string> => {
  const { status: got, body } = await bank.upload([{ content }], { token: bearer })
  expect(got).toBe(201)
  return body.public_id as string
}

// On a busy machine the S3 server may be silent for longer than the bank waits for it. What these tests are
// not about is done again then.

interface ToS3 {
  content?: Buffer | string
  bearer?: string
  at?: TestDocuments
  /** Makes the store's health what the upload is to meet. */
  health?: () => Promise<unknown>
}

/** Uploads a document that S3 has taken. */
async function uploadToS3({
  content = PDF,
  bearer,
  at = bank,
  health = endRest,
}: ToS3 = {}): Promise<string> {
  for (;;) {
    await health()
    const { status: got, body } = await at.upload([{ content }], { token: bearer ?? at.customer })
    expect(got).toBe(201)
    const id = body.public_id as string
    const values = [id]
    const text = `select f.id, f.store from stored_files f join documents d on d.file_id = f.id where d.id = $1`
    const [file] = await at.db.query<{ id: string; store: string }>({ text, values })
    if (file!.store === 's3') return id
    await at.db.query({ text: 'delete from documents where id = $1', values })
    await at.db.query({ text: 'delete from stored_files where id = $1', values: [file!.id] })
  }
}

/** Reads a document as soon as the store is not at rest. */
async function read(id: string, bearer = bank.customer) {
  for (;;) {
    const got = await bank.get(`/media/${id}`, bearer)
    if (got.status !== 503) return got
    await endRest()
  }
}

/** Sweeps without a rest of the store until this is so. */
const sweepUntil = (isDone: () => Promise<boolean>) =>
  until(async () => {
    await endRest()
    await bank.sweep()
    return isDone()
  })

const isIn = (store: string, id: string) => async () => (await storesOf(id)).join() === store

test('documents go to S3, and come back from there', async () => {
  const content = pdfOf(10 * MIB)
  const id = await uploadToS3({ content })
  const [file] = await filesOf(id)
  expect(file).toMatchObject({ state: 'whole', store: 's3' })
  expect(await s3.names()).toContain(file!.id)
  expect(await sql('select from file_pieces')).toEqual([])
  expect((await read(id)).bytes.equals(content)).toBe(true)
  expect(await status()).toEqual({
    in_use: 's3',
    stores: [
      { name: 's3', configured: true, working: true, next_try_at: null },
      { name: 'database', configured: true, working: true, next_try_at: null },
    ],
  })
})

test('while the store is down, documents go to the database; then a sweep moves them', async () => {
  await s3.kill()
  const id = await upload(pdfOf(300_000))
  expect(await storesOf(id)).toEqual(['database'])
  expect((await bank.get(`/media/${id}`)).bytes.length).toBe(300_000)
  expect(await status()).toMatchObject({ in_use: 'database', stores: [{ working: false }, {}] })
  await bank.sweep()
  expect(await storesOf(id)).toEqual(['database'])

  await s3.start()
  await until(async () => {
    // It has rested, and is tried by the sweep.
    await sql(`update store_health set resting_until = now()`)
    await bank.sweep()
    return isIn('s3', id)()
  })
  expect((await read(id)).bytes.equals(pdfOf(300_000))).toBe(true)
  expect(await status()).toMatchObject({ in_use: 's3' })
  // Somebody may be reading it there.
  expect(await sql('select from file_pieces')).toHaveLength(2)
  await sql(`update stored_files set moved_at = now() - interval '16 minutes' where moved_at is not null`)
  await sweepUntil(async () => (await sql('select from file_pieces')).length === 0)
})

test('a rest that began before the clock was set back does not last until the clock has caught up', async () => {
  await uploadToS3({
    health: () => sql(`update store_health set failures = 1, resting_until = now() + interval '2 hours'`),
  })
  expect(await sql('select failures, resting_until from store_health')).toEqual([
    { failures: 0, resting_until: null },
  ])
})

test('a file that can’t be moved does not keep others from being moved', async () => {
  await sql(`update store_health set resting_until = now() + interval '4 minutes'`)
  const [broken, sound] = [await upload(), await upload()]
  await sql(
    `update stored_files set bytes = bytes + 1 where id = (select file_id from documents where id = '${broken}')`,
  )
  await sweepUntil(isIn('s3', sound))
  expect(await storesOf(broken)).toEqual(['database'])
  await sql(
    `update stored_files set bytes = bytes - 1 where id = (select file_id from documents where id = '${broken}')`,
  )
  await sweepUntil(isIn('s3', broken))
})

test('a store that does not keep what it has taken loses no file: the database has it until the store has shown it', async () => {
  await sql(`update store_health set resting_until = now() + interval '4 minutes'`)
  const [changed, lost, kept] = [await upload(), await upload(), await upload()]
  const fileOf = async (id: string) => (await filesOf(id))[0]!.id
  for (const id of [changed, lost, kept]) await sweepUntil(isIn('s3', id))
  await s3.put(await fileOf(changed), 'something else')
  await s3.remove(await fileOf(lost))
  const age = () =>
    sql(`update stored_files set moved_at = now() - interval '16 minutes' where moved_at is not null`)
  await age()
  const piecesOf = async (id: string) =>
    (await sql(`select from file_pieces where file_id = '${await fileOf(id)}'`)).length
  await sweepUntil(async () => (await piecesOf(kept)) === 0)
  const unread = `select from stored_files where moved_at < now() - interval '15 minutes'`
  await sweepUntil(async () => (await sql(unread)).length === 0)
  for (const id of [changed, lost]) {
    expect(await piecesOf(id)).toBeGreaterThan(0)
    // They are moved again.
    await sweepUntil(isIn('s3', id))
    expect((await read(id)).bytes.equals(Buffer.from(PDF))).toBe(true)
  }
  await age()
  await sweepUntil(async () => (await sql('select from file_pieces')).length === 0)
  for (const id of [changed, lost, kept]) expect((await read(id)).bytes.equals(Buffer.from(PDF))).toBe(true)
})

test('a move that is undone while another sweep ends it leaves the file where it is', async () => {
  await sql(`update store_health set resting_until = now() + interval '4 minutes'`)
  const id = await upload()
  await sweepUntil(isIn('s3', id))
  const [file] = await filesOf(id)
  await sql(`update stored_files set moved_at = now() - interval '16 minutes' where id = '${file!.id}'`)
  const { tools } = bank.functions.processDocument
  const stores = createStores(tools)
  // This sweep has found it in the store. Before it says so, another finds nothing there.
  stores.isInS3 = async () => {
    await sql(`update stored_files set store = 'database', moved_at = null where id = '${file!.id}'`)
    return true
  }
  await removeMoved(tools, stores, performance.now() + 60_000)
  expect((await bank.get(`/media/${id}`)).bytes.toString()).toBe(PDF)
  await sweepUntil(isIn('s3', id))
  await sql(`update stored_files set moved_at = now() - interval '16 minutes' where moved_at is not null`)
  await sweepUntil(async () => (await sql('select from file_pieces')).length === 0)
})

test('a store that sends a file by drops is not waited for until its end', async () => {
  const server = http.createServer((_request, response) => {
    const drops = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(drops))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { tools } = bank.functions.processDocument
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/documents`
    const stores = createStores({ ...tools, config: { ...tools.config, DOCUMENT_STORE_URL: url } })
    expect(await stores.isInS3(randomUUID(), Buffer.alloc(32), 200)).toBeUndefined()
    expect(await status()).toMatchObject({ in_use: 's3' })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await endRest()
  }
})

test('a bucket in another region is made there', async () => {
  const bucket = { url: s3.env.DOCUMENT_STORE_URL!.replace('documents', 'elsewhere'), region: 'eu-central-1' }
  const key = { keyId: 'test', key: 'test' }
  const object = {
    ...{ name: 'a', bytes: PDF.length, sha256: createHash('sha256').update(PDF).digest() },
    mediaType: 'application/pdf',
    async *pieces() {
      yield Buffer.from(PDF)
    },
  }
  await unlessSilent(() => putObject({ ...bucket, ...key }, object))
  const parts: Buffer[] = []
  for await (const part of await unlessSilent(() => getObject({ ...bucket, ...key }, 'a'))) parts.push(part)
  expect(Buffer.concat(parts).toString()).toBe(PDF)
})

test('a store that is silent is waited for once, not by each upload', async () => {
  await s3.freeze()
  try {
    const id = await upload()
    expect(await storesOf(id)).toEqual(['database'])
    // On a busy machine the rest could be over before all the others have come.
    await sql(`update store_health set resting_until = resting_until + interval '4 minutes'`)
    const before = await sql('select failures from store_health')
    const many = await Promise.all(Array.from({ length: 5 }, () => upload()))
    expect(await Promise.all(many.map(storesOf))).toEqual(Array(5).fill(['database']))
    expect(await sql('select failures from store_health')).toEqual(before)
    // After a rest one of them tries it, and the others do not wait for it.
    await sql(`update store_health set resting_until = now()`)
    await Promise.all(Array.from({ length: 5 }, () => upload()))
    expect(await sql('select failures from store_health')).toEqual([{ failures: 2 }])
  } finally {
    s3.thaw()
    await endRest()
  }
})

test('while the store is down, a document in it is 503, and then it is back', async () => {
  const id = await uploadToS3()
  await s3.freeze()
  try {
    const first = await bank.get(`/media/${id}`)
    expect([first.status, first.headers['retry-after']]).toEqual([503, '1'])
    expect((await bank.get(`/media/${id}`)).status).toBe(503)
  } finally {
    s3.thaw()
    await endRest()
  }
  expect((await read(id)).status).toBe(200)
})

test('requests that fail at the same time give the store one rest, not one each', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => uploadToS3({ bearer: bank.operator })))
  await s3.freeze()
  try {
    const answers = await Promise.all(ids.map((id) => bank.get(`/media/${id}`, bank.operator)))
    expect(answers.map(({ status: got }) => got)).toEqual(Array(5).fill(503))
    expect(await sql('select failures from store_health')).toEqual([{ failures: 1 }])
  } finally {
    s3.thaw()
    await endRest()
  }
})

test('a client that reads slowly gives the store no rest, and gets the whole file', async () => {
  // Larger than what the sockets hold.
  const content = pdfOf(10 * MIB)
  const id = await uploadToS3({ content, bearer: await token({ userId: randomUUID() }) })
  const url = new URL(bank.functions.documents.url)
  const request = http.get({
    ...{ host: url.hostname, port: url.port, path: `/media/${id}`, agent: false },
    headers: { authorization: `Bearer ${bank.operator}` },
  })
  const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve))
  const slowUntil = performance.now() + SILENT_MS_MAX + 500
  await until(() => performance.now() > slowUntil)
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  expect(Buffer.concat(parts).equals(content)).toBe(true)
  expect(await status()).toMatchObject({ in_use: 's3' })
})

test('a store that has lost an object is not at rest for it', async () => {
  const id = await uploadToS3()
  const [file] = await filesOf(id)
  await s3.remove(file!.id)
  await sql(`update store_health set failures = 1, resting_until = now()`)
  const { status: got, body } = await read(id)
  expect([got, body.type.split('/').at(-1)]).toEqual([410, 'document-lost'])
  expect(await status()).toMatchObject({ in_use: 's3' })
})

test('what a store has lost soon after it was moved is read from the database', async () => {
  await sql(`update store_health set resting_until = now() + interval '4 minutes'`)
  const id = await upload()
  await sweepUntil(isIn('s3', id))
  const [file] = await filesOf(id)
  await s3.remove(file!.id)
  expect((await read(id)).bytes.toString()).toBe(PDF)
  await s3.put(file!.id, 'something else')
  expect((await read(id)).bytes.toString()).toBe(PDF)
  await s3.put(file!.id, PDF)
  await sql(`update stored_files set moved_at = now() - interval '16 minutes' where moved_at is not null`)
  await sweepUntil(async () => (await sql('select from file_pieces')).length === 0)
})

test('a sweep without anything to move leaves the trial to others', async () => {
  await bank.sweep()
  await sql(`update store_health set failures = 1, resting_until = now()`)
  await bank.sweep()
  const [{ isOver }] = (await sql(
    `select resting_until <= now() as "isOver" from store_health where store = 's3'`,
  )) as [{ isOver: boolean }]
  expect(isOver).toBe(true)
  await endRest()
})

test('a file that gets its document while somebody removes it keeps its bytes', async () => {
  const [file] =
    (await sql(`insert into stored_files (bytes, sha256, media_type, store, s3_written_at, created_at)
    values (5, sha256('bytes'), 'application/pdf', 's3', now() - interval '2 hours', now() - interval '2 hours')
    returning id`)) as [{ id: string }]
  await s3.put(file.id, 'bytes')
  // The upload commits after the sweep has found the file.
  const sweeping = await bank.db.transaction(async (tx) => {
    await tx.query({ text: `update stored_files set state = 'whole' where id = $1`, values: [file.id] })
    await tx.query({
      text: `insert into documents (user_id, status, file_name, media_type, bytes, sha256, file_id)
        values ($2, 'ready', 'a.pdf', 'application/pdf', 5, sha256('bytes'), $1)`,
      values: [file.id, randomUUID()],
    })
    const swept = bank.sweep()
    await until(
      async () =>
        (
          await sql(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).length > 0,
    )
    return { swept }
  })
  await sweeping.swept
  expect(await sql(`select state from stored_files where id = '${file.id}'`)).toEqual([{ state: 'whole' }])
  expect(await s3.names()).toContain(file.id)
})

test('bytes that are not what was stored are not passed on as if they were', async () => {
  const id = await uploadToS3({ content: pdfOf(400_000) })
  const [file] = await filesOf(id)
  await s3.put(file!.id, `${pdfOf(400_000).toString().slice(0, -20)}somebody changed it!`)
  await expect(read(id)).rejects.toThrow(/aborted|hang up|reset/i)
  await s3.put(file!.id, 'short')
  expect((await read(id)).status).toBe(410)
})

/** Stores that lose a file as soon as they have found it, as if another process had removed it. */
function storesThatLose(file: FileRow): Stores {
  const { tools } = bank.functions.processDocument
  const query = async <Row extends object>(statement: Statement): Promise<Row[]> => {
    const rows = await tools.db.query<Row>(statement)
    if (statement.name !== 'file-find' || rows.length === 0) return rows
    await sql(`update stored_files set state = 'dead' where id = '${file.id}'`)
    await sql(`delete from file_pieces where file_id = '${file.id}'`)
    if (file.store === 's3') await s3.remove(file.id)
    return rows
  }
  return createStores({ ...tools, db: { ...tools.db, query } })
}

test('bytes that are removed while somebody reads them are not taken for damaged', async () => {
  const [inS3] = await filesOf(await uploadToS3())
  await s3.kill()
  const [inDatabase] = await filesOf(await upload())
  await s3.start()
  await endRest()
  await s3.put(inS3!.id, PDF.toString())
  expect([inS3, inDatabase]).toMatchObject([{ store: 's3' }, { store: 'database' }])
  for (const file of [inS3!, inDatabase!])
    await expect(storesThatLose(file).read(file.id).next()).rejects.toThrow('changed a moment ago')
  for (const { id } of [inS3!, inDatabase!]) {
    await sql(`delete from documents where file_id = '${id}'`)
    await sql(`delete from stored_files where id = '${id}'`)
  }
})

test('deleting a document removes its bytes; if the store is down, the sweep does', async () => {
  const id = await uploadToS3({ content: await image('png') })
  expect(await bank.process(id)).toBe(204)
  const files = (await filesOf(id)).map((file) => file.id)
  expect(files).toHaveLength(2)
  expect(await s3.names()).toEqual(expect.arrayContaining(files))
  expect((await bank.remove(id)).status).toBe(204)
  const names = await s3.names()
  expect(files.filter((file) => names.includes(file))).toEqual([])

  const other = await uploadToS3()
  const [kept] = await filesOf(other)
  await sql(`update store_health set resting_until = now() + interval '4 minutes'`)
  expect((await bank.remove(other)).status).toBe(204)
  expect((await bank.get(`/media/${other}`)).status).toBe(404)
  expect(await s3.names()).toContain(kept!.id)
  await sweepUntil(async () => (await sql(`select from stored_files where state <> 'whole'`)).length === 0)
  expect(await s3.names()).not.toContain(kept!.id)
})

test('what a process leaves that dies in the middle is removed, in both stores', async () => {
  // As if it had died after it wrote the bytes, before the commit.
  const [inS3] =
    (await sql(`insert into stored_files (bytes, sha256, media_type, store, s3_written_at, created_at)
    values (5, sha256('bytes'), 'application/pdf', 's3', now() - interval '2 hours', now() - interval '2 hours')
    returning id`)) as [{ id: string }]
  await s3.put(inS3.id, 'bytes')
  const [young] = (await sql(`insert into stored_files (bytes, sha256, media_type, s3_written_at)
    values (5, sha256('bytes'), 'application/pdf', now()) returning id`)) as [{ id: string }]
  await s3.put(young.id, 'bytes')
  const [inDatabase] = (await sql(`insert into stored_files (bytes, sha256, media_type, created_at)
    values (5, sha256('bytes'), 'application/pdf', now() - interval '2 hours') returning id`)) as [
    { id: string },
  ]
  await sql(`insert into file_pieces values ('${inDatabase.id}', 0, 'bytes')`)
  const left = () => sql(`select id from stored_files where state <> 'whole'`)
  await sweepUntil(async () => (await left()).length <= 1)
  const names = await s3.names()
  expect([names.includes(inS3.id), names.includes(young.id)]).toEqual([false, true])
  expect(await left()).toEqual([{ id: young.id }])
  expect(await sql(`select from file_pieces where file_id = '${inDatabase.id}'`)).toEqual([])
  await sql(`delete from stored_files where state = 'writing'`)
})

test('a file that may still be on its way to S3 is removed later', async () => {
  await sql(`insert into stored_files (bytes, sha256, media_type, state, store, s3_written_at)
    values (5, sha256('bytes'), 'application/pdf', 'dead', 'database', now())`)
  await bank.sweep()
  expect(await sql(`select state from stored_files where state = 'dead'`)).toHaveLength(1)
  await sql(`update stored_files set s3_written_at = now() - interval '3 minutes' where state = 'dead'`)
  await sweepUntil(async () => (await sql(`select from stored_files where state = 'dead'`)).length === 0)
})

test('a client that reads slowly, or leaves, costs no memory and no connection to the store', async () => {
  const id = await uploadToS3({ content: pdfOf(10 * MIB), bearer: await token({ userId: randomUUID() }) })
  const url = new URL(bank.functions.documents.url)
  const request = http.get({
    ...{ host: url.hostname, port: url.port, path: `/media/${id}`, agent: false },
    headers: { authorization: `Bearer ${bank.operator}` },
  })
  const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve))
  response.pause()
  await until(() => response.readableLength > 0)
  const before = process.memoryUsage().arrayBuffers
  response.destroy()
  expect(before).toBeLessThan(200 * MIB)
  expect((await read(id, bank.operator)).bytes.length).toBe(10 * MIB)
})

/** Passes bytes on to the S3 server. Once armed, it kills the server when so many bytes have passed in one
 * direction. */
async function startProxy() {
  const { hostname, port, pathname } = new URL(s3.env.DOCUMENT_STORE_URL!)
  const armed: { up?: number; down?: number } = {}
  const server = createServer((from) => {
    const to = connect(Number(port), hostname)
    const pass = (source: Socket, target: Socket, way: 'up' | 'down'): void => {
      let passed = 0
      source.on('data', (bytes: Buffer) => {
        passed += bytes.length
        if (passed <= (armed[way] ?? Infinity)) return void target.write(bytes)
        armed[way] = Infinity
        void s3.kill()
        // The rest of the file may have left the server already.
        for (const socket of [source, target]) socket.destroy()
      })
      source.on('close', () => target.destroy()).on('error', () => undefined)
    }
    pass(from, to, 'up')
    pass(to, from, 'down')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = (server.address() as { port: number }).port
  return { url: `http://127.0.0.1:${own}${pathname}`, server, armed }
}

test('the store is killed in the middle of a download and of an upload: nothing is taken for whole that is not', async () => {
  const { url, server, armed } = await startProxy()
  const other = await testDocuments({ ...s3.env, DOCUMENT_STORE_URL: url })
  const content = pdfOf(8 * MIB)
  try {
    const endTheirs = () => other.db.query({ text: 'update store_health set resting_until = null' })
    const first = await uploadToS3({ content, at: other, health: endTheirs })
    armed.down = 2 * MIB
    await expect(other.get(`/media/${first}`)).rejects.toThrow(/aborted|hang up|reset/i)
    expect((await other.get(`/media/${first}`)).status).toBe(503)

    await s3.start()
    await other.db.query({ text: 'update store_health set resting_until = now()' })
    armed.up = 2 * MIB
    const { status: got, body: second } = await other.upload([{ content }])
    expect(got).toBe(201)
    expect((await other.get(`/media/${second.public_id}`)).bytes.equals(content)).toBe(true)
    expect(await other.db.query({ text: 'select state, store from stored_files order by id' })).toEqual([
      { state: 'whole', store: 's3' },
      { state: 'whole', store: 'database' },
    ])
  } finally {
    await other.close()
    server.close()
  }
})
