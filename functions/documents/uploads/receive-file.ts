import { Busboy, type BusboyFileStream } from '@fastify/busboy'
import { pipeline } from 'node:stream/promises'
import { ProblemError, problems } from '../../host/problems.ts'
import type { BodyStream } from '../../host/route-request.ts'
import { documentProblems } from '../refusals.ts'
import type { Spool } from './spool.ts'

/** Name of the field that holds the file. */
const FIELD = 'file'

/** Reads the one file of a multipart/form-data body (RFC 7578) into the spool. Resolves with the name that
 * the sender gave it. Throws a ProblemError: 415 for another kind of body, 413 for a file above `bytesMax`,
 * 400 for anything but one file in the field `file`. */
export async function receiveFile(
  body: BodyStream,
  spool: Spool,
  bytesMax: number,
): Promise<string | undefined> {
  const parser = createParser(body.mediaType, bytesMax)
  let taken: Promise<void> | undefined
  let name: string | undefined
  const refuse = (message: string): void =>
    void parser.destroy(
      new ProblemError(problems.invalidInput, 'The body must have one file, in the field "file".', {
        errors: [{ path: `/${FIELD}`, message }],
      }),
    )
  parser.on('file', (field, stream, fileName) => {
    if (field !== FIELD) {
      stream.on('error', () => undefined).resume()
      return refuse('is missing; there is a file in another field')
    }
    name = fileName as string | undefined
    taken = take(stream, spool, bytesMax)
    // A parser that failed would not end the file.
    parser.once('close', () => stream.destroy())
    taken.catch((error: Error) => parser.destroy(error))
  })
  parser.on('field', () => refuse('must be the only field'))
  parser.on('partsLimit', () => refuse('must be the only part'))
  try {
    await pipeline(body.parts, parser)
  } catch (error) {
    await taken?.catch(() => undefined)
    if (!(error instanceof Error) || !isFaultOfBody(error)) throw error
    throw new ProblemError(problems.invalidInput, 'The body is not complete multipart/form-data.')
  }
  if (!taken)
    throw new ProblemError(problems.invalidInput, 'The body must have one file, in the field "file".', {
      errors: [{ path: `/${FIELD}`, message: 'is missing' }],
    })
  await taken
  return name
}

async function take(stream: BusboyFileStream, spool: Spool, bytesMax: number): Promise<void> {
  let isTooLarge = false
  stream.once('limit', () => (isTooLarge = true))
  for await (const part of stream) {
    if (isTooLarge || stream.truncated) throw tooLarge(bytesMax)
    await spool.add(part as Buffer)
  }
  if (isTooLarge || stream.truncated) throw tooLarge(bytesMax)
}

const tooLarge = (bytesMax: number): ProblemError =>
  new ProblemError(
    documentProblems.fileTooLarge,
    `A file may have at most ${Math.floor(bytesMax / 1024 / 1024)} MiB.`,
  )

function createParser(mediaType: string, bytesMax: number): InstanceType<typeof Busboy> {
  if (!/^multipart\/form-data\s*;/i.test(mediaType))
    throw new ProblemError(
      documentProblems.notMultipart,
      `Expected multipart/form-data, not ${mediaType || 'nothing'}.`,
    )
  try {
    return new Busboy({
      headers: { 'content-type': mediaType },
      limits: { parts: 1, fileSize: bytesMax, fieldSize: 100, headerPairs: 20, headerSize: 8_192 },
    })
  } catch {
    throw new ProblemError(documentProblems.notMultipart, 'The boundary of the multipart body is missing.')
  }
}

/** Says whether the parser could not read the body. Its errors have no type and no code. */
const isFaultOfBody = ({ message }: Error): boolean =>
  /^(Unexpected end|Part terminated early|Malformed|Invalid|Header)/i.test(message)
