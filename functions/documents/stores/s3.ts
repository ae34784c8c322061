import { sign } from 'aws4'
import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'

/** A bucket of a store that speaks S3, addressed by path. */
export interface Bucket {
  /** URL of the bucket: `https://s3.example.org/documents`. */
  url: string
  region: string
  keyId: string
  key: string
}

/** Thrown if the store does not do what was asked. `isGone` says that there is no such object. */
export class StoreError extends Error {
  readonly isGone: boolean
  constructor(message: string, { isGone = false, cause }: { isGone?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.isGone = isGone
  }
}

/** Milliseconds without a byte from the store, the beginning of the connection included. */
export const SILENT_MS_MAX = 2_000
/** Milliseconds for a whole object to be written; an object is at most 32 MiB. */
const PUT_MS_MAX = 15_000
/** SHA-256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const ANSWER_BYTES_MAX = 8 * 1024

interface Sent {
  method: 'GET' | 'PUT' | 'DELETE'
  /** Of the object; empty for the bucket. */
  name: string
  sha256?: string
  headers?: Record<string, string | number>
  body?: AsyncIterable<Buffer>
  signal?: AbortSignal
}

export interface NewObject {
  name: string
  bytes: number
  sha256: Buffer
  mediaType: string
  /** Gives the bytes from the beginning. */
  pieces: () => AsyncIterable<Buffer>
}

/** Writes an object. The store checks its length and hash before anybody can see it. Makes the bucket if it
 * is missing. Rejects with a StoreError; whether the object is there is then unknown. */
export async function putObject(bucket: Bucket, object: NewObject): Promise<void> {
  const put = async (): Promise<void> =>
    discard(
      await send(bucket, {
        method: 'PUT',
        name: object.name,
        sha256: object.sha256.toString('hex'),
        headers: { 'content-length': object.bytes, 'content-type': object.mediaType },
        body: object.pieces(),
        signal: AbortSignal.timeout(PUT_MS_MAX),
      }),
    )
  try {
    await put()
  } catch (error) {
    if (!(error instanceof StoreError && error.isGone)) throw error
    await makeBucket(bucket)
    await put()
  }
}

/** Outside of the first region, S3 wants the region in the body as well. */
async function makeBucket(bucket: Bucket): Promise<void> {
  const text =
    bucket.region === 'us-east-1'
      ? ''
      : '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `<LocationConstraint>${bucket.region}</LocationConstraint></CreateBucketConfiguration>`
  const body = Buffer.from(text)
  await discard(
    await send(bucket, {
      method: 'PUT',
      name: '',
      ...(text && {
        sha256: createHash('sha256').update(body).digest('hex'),
        headers: { 'content-length': body.length, 'content-type': 'application/xml' },
        body: (async function* () {
          yield body
        })(),
      }),
    }),
  )
}

/** Resolves with the bytes of an object. Both this and reading them reject with a StoreError. Whoever reads
 * may take their time: only the store must not be silent. */
export async function getObject(bucket: Bucket, name: string): Promise<AsyncIterable<Buffer>> {
  const response = await send(bucket, { method: 'GET', name })
  response.setTimeout(0)
  return (async function* () {
    try {
      for (const parts = response[Symbol.asyncIterator](); ;) {
        const timer = setTimeout(() => response.destroy(silent()), SILENT_MS_MAX)
        const next = await parts.next().finally(() => clearTimeout(timer))
        if (next.done) return
        yield next.value as Buffer
      }
    } catch (error) {
      throw failed(error)
    } finally {
      response.destroy()
    }
  })()
}

/** Removes an object. It is no error if there is none. */
export async function deleteObject(bucket: Bucket, name: string): Promise<void> {
  try {
    await discard(await send(bucket, { method: 'DELETE', name }))
  } catch (error) {
    if (!(error instanceof StoreError && error.isGone)) throw error
  }
}

/** Sends a request. Resolves with its answer when the answer begins, if that says "done". */
async function send(bucket: Bucket, { method, name, sha256, headers, body, signal }: Sent) {
  const url = new URL(bucket.url)
  const path = `${url.pathname.replace(/\/$/, '')}${name && `/${name}`}`
  const signed = sign(
    {
      service: 's3',
      region: bucket.region,
      host: url.host,
      method,
      path,
      headers: { ...headers, 'x-amz-content-sha256': sha256 ?? EMPTY },
    },
    { accessKeyId: bucket.keyId, secretAccessKey: bucket.key },
  )
  const options: RequestOptions = { method, path, headers: signed.headers as Record<string, string> }
  const response = await exchange(url, { ...options, ...(signal && { signal }) }, body)
  const { statusCode: status = 0 } = response
  if (status >= 200 && status < 300) return response
  const text = await beginningOf(response)
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? 'no code'
  throw new StoreError(`the store answered ${status} (${code})`, { isGone: status === 404 })
}

function exchange(
  url: URL,
  options: RequestOptions,
  body: AsyncIterable<Buffer> | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(failed(error))
    // A connection of its own: a kept one may have died while nobody looked.
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = start(url, { ...options, agent: false, timeout: SILENT_MS_MAX }, resolve)
    request.on('timeout', () => request.destroy(silent()))
    request.on('error', fail)
    // An answer before the end of the body is a refusal: the error that the rest meets does not matter then.
    if (body) pipeline(Readable.from(body, { objectMode: false }), request).catch(fail)
    else request.end()
  })
}

const silent = (): Error => new Error(`silent for ${SILENT_MS_MAX} ms`)

const failed = (error: unknown): StoreError =>
  error instanceof StoreError
    ? error
    : new StoreError(`the store did not answer: ${(error as Error).message}`, { cause: error })

/** Reads the rest of an answer, so that it is known to have ended well. */
async function discard(response: IncomingMessage): Promise<void> {
  await beginningOf(response)
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const part of response) {
      text += (part as Buffer).toString()
      if (text.length > ANSWER_BYTES_MAX) break
    }
  } catch (error) {
    throw failed(error)
  }
  return text
}
