import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { answer, beginAnswer } from '../host/http/answer.ts'
import type { Cors } from './cors.ts'
import { contractPaths } from './own-routes.ts'
import type { WholeAnswer } from '../host/http/pass-on.ts'
import { codingFor, leaveOut, refine } from './refine.ts'
import { isReading, otherMethod, READING } from './wrong-method.ts'

/** The build puts the documents into a folder of this name beside the bundles; in the repository they are
 * in this one. */
const FOLDER = join(__dirname, '../web')

/** Seconds for which a client may keep a document without asking. */
const FRESH_SECONDS = 300

/** Documents that somebody has asked for, by name and coding. To read and compress one takes some 10 ms of
 * processor time, which strangers could make us spend with each request. */
const kept = new Map<string, Promise<WholeAnswer>>()

/** Returns the answer to a request for a document of the contract; undefined for any other path. A document
 * is read when somebody first asks for it. */
export function contractFile(
  path: string,
  cors: Cors,
): ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined {
  if (!Object.hasOwn(contractPaths, path)) return undefined
  const name = contractPaths[path as keyof typeof contractPaths]
  return async (request, response) => {
    if (!isReading(request)) return answer(response, otherMethod(request, READING, cors))
    const { status, headers, body } = await keptDocument(name, codingFor(request.headers['accept-encoding']))
    const whole = { status, headers: { ...headers, 'content-length': body.length }, body }
    leaveOut(request, whole)
    beginAnswer(response, whole.status, whole.headers)
    response.end(whole.body)
  }
}

function keptDocument(name: string, coding: string | undefined): Promise<WholeAnswer> {
  const key = `${name} ${coding}`
  let document = kept.get(key)
  if (!document) {
    document = readDocument(name, coding)
    kept.set(key, document)
    // The next request tries again.
    document.catch(() => kept.delete(key))
  }
  return document
}

async function readDocument(name: string, coding: string | undefined): Promise<WholeAnswer> {
  const { readFile } = await import('node:fs/promises')
  const body = await readFile(join(FOLDER, name))
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': `public, max-age=${FRESH_SECONDS}`,
    etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
  }
  const whole = { status: 200, headers, body }
  await refine({ method: 'GET', headers: { 'accept-encoding': coding } }, whole)
  return whole
}
