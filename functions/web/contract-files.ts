import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { answer } from '../host/http/answer.ts'
import { problem, problems } from '../host/problems.ts'
import { contractPaths } from './own-routes.ts'

/** The build puts the documents into a folder of this name beside the bundles; in the repository they are
 * in this one. */
const FOLDER = join(__dirname, '../web')

/** Seconds for which a client may keep a document without asking. */
const FRESH_SECONDS = 300

/** Returns the answer to a request for a document of the contract; undefined for any other path. A document
 * is read when somebody asks for it, and not kept: hardly anybody does. */
export function contractFile(
  path: string,
): ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined {
  if (!Object.hasOwn(contractPaths, path)) return undefined
  const name = contractPaths[path as keyof typeof contractPaths]
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(
        response,
        problem(problems.methodNotAllowed, 'Allowed here: GET.', { headers: { allow: 'GET, HEAD' } }),
      )
    const text = await readFile(join(FOLDER, name), 'utf8')
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
    const headers = { etag, 'cache-control': `public, max-age=${FRESH_SECONDS}` }
    const isKnown = knownTags(request).some((tag) => tag === etag || tag === '*')
    answer(response, isKnown ? { status: 304, headers } : { status: 200, headers, text })
  }
}

/** The tags of If-None-Match, compared weakly (RFC 9110, 13.1.2). */
const knownTags = ({ headers }: IncomingMessage): string[] =>
  (headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
