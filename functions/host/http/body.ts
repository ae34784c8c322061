import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { BodyError, readBody, type BodyFault } from '../../../eventing/http-body.ts'
import { ProblemError, problems, type ProblemType } from '../problems.ts'

/** Limit of a body in bytes, unless the route declares another. */
export const BODY_BYTES_MAX = 100 * 1024

/** Reads the JSON body: an object or a list. No body counts as an empty object, so that the schema says what
 * is missing. Throws a ProblemError:
 * - 415 for anything but uncompressed JSON in UTF-8;
 * - 413 for a body above `bytesMax`, or in thousands of tiny chunks;
 * - 408 if it takes longer than `timeoutMs`;
 * - 400 if it is not JSON, not UTF-8, or ends too early. */
export async function readJson(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
  timeoutMs?: number,
): Promise<unknown> {
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': chunked } = request.headers
  if (type === undefined && !chunked && (length === undefined || length === '0')) return {}
  checkType(type ?? '')
  const bytes = await readBytes(request, bytesMax, timeoutMs)
  if (bytes.length === 0) return {}
  // Bytes that are no character would become another one, silently.
  if (!isUtf8(bytes)) throw new ProblemError(problems.invalidJson, 'The body is not UTF-8.')
  return parseJson(bytes.toString())
}

/** Reads the bytes of the body. Any media type will do; throws a ProblemError as readJson() does. */
export async function readBytes(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
  timeoutMs?: number,
): Promise<Buffer> {
  checkCoding(request)
  try {
    return await readBody(request, { bytesMax, ...(timeoutMs !== undefined && { timeoutMs }) })
  } catch (error) {
    throw error instanceof BodyError ? refusalOf(error) : error
  }
}

/** Throws a ProblemError (415) for a body with a content coding. Limits count the bytes that arrive. Nothing
 * is unpacked, so nothing can grow here. */
export function checkCoding({ headers: { 'content-encoding': encoding } }: IncomingMessage): void {
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw notPlain()
}

const FAULTS = {
  'too-large': problems.payloadTooLarge,
  'too-many-chunks': problems.payloadTooLarge,
  'too-slow': problems.requestTimeout,
  'broke-off': problems.invalidInput,
} as const satisfies Record<BodyFault, ProblemType>

/** Makes the refusal of a body. It also closes the connection of a sender who is too slow or floods us. */
export function refusalOf({ fault, message }: BodyError): ProblemError {
  const isKept = fault === 'too-large' || fault === 'broke-off'
  return new ProblemError(FAULTS[fault], message, isKept ? {} : { headers: { connection: 'close' } })
}

/** Parses JSON text as an object or a list. Throws a ProblemError (400) for anything else. */
export function parseJson(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Refused below, like a value that is neither object nor list.
  }
  if (typeof value === 'object' && value !== null) return value
  throw new ProblemError(problems.invalidJson, 'The body could not be read as a JSON object or list.')
}

function checkType(header: string): void {
  if (header === 'application/json') return
  const [type = '', ...parameters] = header.toLowerCase().split(/\s*;\s*/)
  if (type !== 'application/json') {
    throw new ProblemError(
      problems.unsupportedMediaType,
      `Expected application/json, not ${type || 'nothing'}.`,
    )
  }
  if (parameters.some((parameter) => /^charset\s*=(?!\s*"?utf-?8"?$)/.test(parameter))) throw notPlain()
}

const notPlain = (): ProblemError =>
  new ProblemError(problems.unsupportedMediaType, 'The body must be JSON in UTF-8, without compression.')
