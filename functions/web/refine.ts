import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import type { WholeAnswer } from '../host/http/pass-on.ts'
import { isTagged } from '../host/tagged.ts'
import { weightOf } from './accepts.ts'

/** Bytes from which on an answer is compressed. Less fits into one packet or two anyway. */
export const COMPRESSED_BYTES_MIN = 2_048

type AskedHeaders = Pick<IncomingMessage, 'headers'>

/** Refines an answer that came whole, if it is the JSON of a GET: gives it a tag, makes it a 304 if the
 * client has it already, and compresses it if it is large and the client wants that. Returns a promise if it
 * takes a while; otherwise it is done.
 *
 * The tag is weak: it is of the content, whatever the coding. Answers to other methods are never compressed:
 * those of log-ins hold secrets, and an attacker who can choose a part of such an answer could guess the rest
 * by its length. What a GET gives can't be asked for by another page: it needs a header, or a cookie that
 * only pages of the bank send. */
export function refine(
  { method, headers: asked }: AskedHeaders & Pick<IncomingMessage, 'method'>,
  whole: WholeAnswer,
): Promise<void> | undefined {
  const { status, headers, body } = whole
  if (headers['content-encoding'] !== undefined) return undefined
  if (!isTagged(method, status, headers['content-type'])) return undefined
  const isLarge = body.length >= COMPRESSED_BYTES_MIN
  if (isLarge) headers.vary = [headers.vary, 'accept-encoding'].filter(Boolean).join(', ')
  headers.etag ??= `W/"${hash('sha1', body, 'base64url').slice(0, 22)}"`
  if (leaveOut({ headers: asked }, whole)) return undefined
  return isLarge ? compressed(asked['accept-encoding'], whole) : undefined
}

/** Makes an answer that has a tag a 304 if the client has it already, and returns whether it has. */
export function leaveOut({ headers: asked }: AskedHeaders, whole: WholeAnswer): boolean {
  const { headers } = whole
  if (!hasTag(asked['if-none-match'], String(headers.etag))) return false
  whole.status = 304
  whole.body = NOTHING
  for (const name of ['content-type', 'content-length', 'content-encoding']) delete headers[name]
  return true
}

const NOTHING = Buffer.alloc(0)

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')

/** Says whether If-None-Match names a tag, or any: by the weak comparison (RFC 9110, section 13.1.2). */
const hasTag = (header: string | undefined, tag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((each) => opaque(each) === opaque(tag)))

function compressed(header: string | undefined, whole: WholeAnswer): Promise<void> | undefined {
  const coding = codingFor(header)
  return coding && compress(coding, whole)
}

/** Returns the coding that a client prefers, by its Accept-Encoding; undefined if it wants none. */
export function codingFor(header: string | undefined): 'br' | 'gzip' | undefined {
  const [br, gzip] = [weightOf(header, 'br'), weightOf(header, 'gzip')]
  if (br === 0 && gzip === 0) return undefined
  return br >= gzip ? 'br' : 'gzip'
}

/** Compresses on a thread of its own, so that other requests don't wait. */
async function compress(coding: 'br' | 'gzip', whole: WholeAnswer): Promise<void> {
  const { brotliCompress, constants, gzip } = await import('node:zlib')
  const { body, headers } = whole
  whole.body = await (coding === 'br'
    ? promisify(brotliCompress)(body, {
        params: {
          // As quick as gzip, and smaller.
          [constants.BROTLI_PARAM_QUALITY]: 4,
          [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
        },
      })
    : promisify(gzip)(body))
  headers['content-encoding'] = coding
  // A strong tag is of the very bytes, which are others now.
  headers.etag = `W/${opaque(String(headers.etag))}`
}
