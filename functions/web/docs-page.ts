import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answer, beginAnswer } from '../host/http/answer.ts'
import { weightOf } from './accepts.ts'
import { nothingHere } from './nothing-here.ts'
import { leaveOut } from './refine.ts'
import { isReading, READING, wrongMethod } from './wrong-method.ts'

/** What the page may do. The viewer writes styles into its elements, and has pictures in its style sheet; it
 * can't be held to Trusted Types, because it writes the HTML of descriptions itself. No script but its own
 * files runs, and it talks to nobody but the bank. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** Answers a request for the page or one of its files; `path` is below `/docs`. */
export type AnswerDocs = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/** Creates the page of the API. `folder` has what the build wrote (knative/build/docs.mjs). */
export function createDocsPage(folder: string): AnswerDocs {
  let files: Promise<ReadonlySet<string>> | undefined
  const list = async (): Promise<ReadonlySet<string>> =>
    new Set((await readdir(folder)).filter((name) => !name.endsWith('.br')))
  // Kept, so that clients who take the viewer slowly share its bytes.
  const kept = new Map<string, Promise<Buffer>>()
  const read = (name: string): Promise<Buffer> => {
    const bytes = kept.get(name) ?? readFile(join(folder, name))
    kept.set(name, bytes)
    bytes.catch(() => kept.delete(name))
    return bytes
  }

  return async (request, response, path) => {
    const name = path === '' || path === '/' ? 'index.html' : path.slice(1)
    // A name of the list can't lead out of the folder.
    files ??= list()
    files.catch(() => (files = undefined))
    if (!(await files).has(name)) return answer(response, nothingHere())
    if (!isReading(request)) return answer(response, wrongMethod(READING))
    const isPage = name === 'index.html'
    const isShort = weightOf(request.headers['accept-encoding'], 'br') > 0
    const bytes = await read(isShort ? `${name}.br` : name)
    const headers = {
      vary: 'accept-encoding',
      // The other names hold a hash of their content.
      ...(isPage
        ? { 'cache-control': 'no-cache', 'content-security-policy': POLICY, etag: tagOf(bytes) }
        : { 'cache-control': 'public, max-age=31536000, immutable' }),
      'content-type': TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream',
      'content-length': bytes.length,
      ...(isShort && { 'content-encoding': 'br' }),
    }
    const whole = { status: 200, headers, body: bytes }
    if (isPage) leaveOut(request, whole)
    beginAnswer(response, whole.status, whole.headers)
    response.end(whole.body)
  }
}

const tagOf = (bytes: Buffer): string => `"${hash('sha256', bytes, 'hex').slice(0, 16)}"`
