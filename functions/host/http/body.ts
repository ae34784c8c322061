import type { IncomingMessage } from 'node:http'
import { BodyError, readBody, type BodyFault } from '../../../eventing/http-body.ts'
import { ProblemError, problems, type ProblemType } from '../problems.ts'

/** What a route takes unless it declares another limit. */
export const BODY_BYTES_MAX = 100 * 1024

/** The JSON body, an object or a list; an empty object where there is none, so that the schema says what is
 * missing. Throws a ProblemError: 415 for anything but uncompressed JSON in UTF-8, 413 beyond the limit or in
 * thousands of tiny chunks, 408 where it takes too long, 400 for what is not JSON or ends too early. */
export async function readJson(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
  timeoutMs?: number,
): Promise<unknown> {
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': chunked } = request.headers
  if (type === undefined && !chunked && (length === undefined || length === '0')) return {}
  checkType(type ?? '')
  const text = (await readBytes(request, bytesMax, timeoutMs)).toString()
  return text === '' ? {} : parseJson(text)
}

/** The bytes of the body. Throws a ProblemError as readJson() does, save that any type will do. */
export async function readBytes(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
  timeoutMs?: number,
): Promise<Buffer> {
  // Sizes are those that arrive: nothing is unpacked, so nothing can grow here.
  const { 'content-encoding': encoding } = request.headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw notPlain()
  try {
    return await readBody(request, { bytesMax, ...(timeoutMs !== undefined && { timeoutMs }) })
  } catch (error) {
    throw error instanceof BodyError ? refusalOf(error) : error
  }
}

const FAULTS = {
  'too-large': problems.payloadTooLarge,
  'too-many-chunks': problems.payloadTooLarge,
  'too-slow': problems.requestTimeout,
  'broke-off': problems.invalidInput,
} as const satisfies Record<BodyFault, ProblemType>

/** The connection of a sender who is too slow, or who floods, is not kept for more of the same. */
function refusalOf({ fault, message }: BodyError): ProblemError {
  const isKept = fault === 'too-large' || fault === 'broke-off'
  return new ProblemError(FAULTS[fault], message, isKept ? {} : { headers: { connection: 'close' } })
}

/** JSON text as an object or a list. Throws a ProblemError (400) for anything else. */
export function parseJson(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // As for a value that is neither.
  }
  if (typeof value === 'object' && value !== null) return value
  throw new ProblemError(problems.invalidJson, 'The body could not be read as a JSON object.')
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
