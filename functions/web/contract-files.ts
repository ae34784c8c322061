import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { answer, beginAnswer } from '../host/http/answer.ts'
import { problem, problems } from '../host/problems.ts'
import { contractPaths } from './own-routes.ts'
import { refine } from './refine.ts'

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
    const { readFile } = await import('node:fs/promises')
    const body = await readFile(join(FOLDER, name))
    const whole = {
      status: 200,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': `public, max-age=${FRESH_SECONDS}`,
        etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
      },
      body,
    }
    await refine(request, whole)
    beginAnswer(response, whole.status, whole.headers)
    response.end(whole.body)
  }
}
