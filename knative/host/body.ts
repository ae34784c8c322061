import type { IncomingMessage } from 'node:http'
import { ProblemError, problems } from './problems.ts'

/** What a route takes unless it declares another limit. */
export const BODY_BYTES_MAX = 100 * 1024

/** The JSON body, an object or a list; an empty object where there is none, so that the schema says what is
 * missing. Throws a ProblemError: 415 for anything but uncompressed JSON in UTF-8, 413 beyond the limit, 400 for
 * what is not JSON or ends too early. */
export async function readJson(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': chunked } = request.headers
  if (type === undefined && !chunked && (length === undefined || length === '0')) return {}
  checkType(type ?? '')
  const text = (await readBytes(request, bytesMax)).toString()
  return text === '' ? {} : parseJson(text)
}

/** The bytes of the body. Throws a ProblemError as readJson() does, save that any type will do. */
export function readBytes(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Sizes are those that arrive: nothing is unpacked, so nothing can grow here.
    const { 'content-encoding': encoding, 'content-length': length } = request.headers
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return reject(notPlain())
    if (length !== undefined && Number(length) > bytesMax) return reject(tooLarge(bytesMax))
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        first = rest = undefined
        reject(tooLarge(bytesMax))
      } else if (!first) first = chunk
      else (rest ??= []).push(chunk)
    })
    request.on('end', () => resolve(rest ? Buffer.concat([first!, ...rest]) : (first ?? Buffer.alloc(0))))
    request.on('close', () => {
      if (!request.complete) reject(new ProblemError(problems.invalidInput, 'The body ended too early.'))
    })
    // What it would say, `close` says too.
    request.on('error', () => {})
  })
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

const tooLarge = (bytesMax: number): ProblemError =>
  new ProblemError(problems.payloadTooLarge, `A body may have ${Math.floor(bytesMax / 1000)} kB.`)
