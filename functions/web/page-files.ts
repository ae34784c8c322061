import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answer, beginAnswer } from '../host/http/answer.ts'
import { problem, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { codingFor, leaveOut } from './refine.ts'
import { nothingHere } from './nothing-here.ts'
import { plainPage } from './plain-page.ts'
import { PAGE_POLICY } from './security-headers.ts'
import { isReading, READING, wrongMethod } from './wrong-method.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const PAGE = 'index.html'

/** What a browser shows until the pages are built. */
const notYet = () =>
  plainPage({
    title: 'The pages are being built',
    en: 'They appear here by themselves. If the build fails, the terminal of the bank says why.',
    de: 'Die Seiten werden gebaut und erscheinen dann von selbst. Wenn das misslingt, steht der Grund im Terminal der Bank.',
  })

/** Answers a browser that asked for a page and has to wait. The page comes back by itself. */
export function askToWait(response: ServerResponse, refusal: Reply): void {
  const seconds = refusal.headers?.['retry-after'] ?? '60'
  const { text, headers } = plainPage({
    title: 'Too many requests',
    en: `Your address has sent too many requests. This page comes back by itself in ${seconds} seconds.`,
    de: `Von Ihrer Adresse kamen zu viele Anfragen. Diese Seite erscheint in ${seconds} Sekunden von selbst.`,
  })
  answer(response, { ...refusal, text, headers: { ...refusal.headers, ...headers, refresh: seconds } })
}

const ENDINGS = { br: '.br', gzip: '.gz' } as const

/** Answers a request for a file, such as `index.html`. */
export type AnswerFile = (request: IncomingMessage, response: ServerResponse, name: string) => Promise<void>

/** What the page of the API may do. The viewer writes styles into its elements, and has pictures in its style
 * sheet; it can't be held to Trusted Types, because it writes the HTML of descriptions itself. No script but
 * its own files runs, and it talks to nobody but the bank. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Creates what gives the files of the page of the API (knative/build/docs.mjs). */
export const createDocsFiles = (folder: string): AnswerFile => createPageFiles(folder, DOCS_POLICY)

/** Creates what gives the files of the bank's pages (knative/build/web.mjs). */
export const createUiFiles = (folder: string): AnswerFile => createPageFiles(folder, PAGE_POLICY, 'assets')

/** Creates what gives `index.html`, and files under names with a hash of their content, which lie in `folder`
 * and in its folder `inner`. Each may lie there compressed, too. `policy` is what the page may do. */
function createPageFiles(folder: string, policy: string, inner?: string): AnswerFile {
  let files: Promise<ReadonlySet<string>> | undefined
  const list = async (): Promise<ReadonlySet<string>> => {
    const names = new Set(await filesIn(folder))
    // The page is written after what it names, so without it the build isn't done.
    if (!names.has(PAGE)) throw Object.assign(new Error(`no ${PAGE} in ${folder}`), { code: 'ENOENT' })
    if (inner) for (const name of await filesIn(join(folder, inner))) names.add(`${inner}/${name}`)
    return names
  }
  // Kept, so that clients who take a large file slowly share its bytes.
  const kept = new Map<string, Promise<Buffer>>()
  const read = (name: string): Promise<Buffer> => {
    const bytes = kept.get(name) ?? readFile(join(folder, name))
    kept.set(name, bytes)
    return bytes
  }
  const forget = (): void => {
    files = undefined
    kept.clear()
  }

  const send: AnswerFile = async (request, response, name) => {
    let names = await (files ??= list())
    // Since then, the build may have written the folder anew.
    if (!names.has(name)) names = await (files = list())
    // A name of the list can't lead out of the folder.
    if (!names.has(name)) return answer(response, nothingHere())
    if (!isReading(request)) return answer(response, wrongMethod(READING))
    const isPage = name === PAGE
    const coding = codingFor(request.headers['accept-encoding'])
    const ending = coding && names.has(name + ENDINGS[coding]) ? ENDINGS[coding] : ''
    const bytes = await (isPage ? readFile(join(folder, name + ending)) : read(name + ending))
    const headers = {
      // Whether there is a page at an address depends on what the client accepts.
      vary: isPage ? 'accept, accept-encoding' : 'accept-encoding',
      // The other names hold a hash of their content.
      ...(isPage
        ? { 'cache-control': 'no-cache', 'content-security-policy': policy, etag: tagOf(bytes) }
        : { 'cache-control': 'public, max-age=31536000, immutable' }),
      'content-type': TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream',
      'content-length': bytes.length,
      ...(ending && { 'content-encoding': coding }),
    }
    const whole = { status: 200, headers, body: bytes }
    if (isPage) leaveOut(request, whole)
    beginAnswer(response, whole.status, whole.headers)
    response.end(whole.body)
  }

  return async (request, response, name) => {
    try {
      await send(request, response, name)
    } catch (error) {
      forget()
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      // The build is writing the folder, for the first time or anew. Browsers ask again by `refresh`.
      const headers = { 'retry-after': '1', refresh: '1' }
      if (name === PAGE) {
        const page = notYet()
        return answer(response, { ...page, status: 503, headers: { ...headers, ...page.headers } })
      }
      answer(response, problem(problems.unavailable, 'The pages are being built.', { headers }))
    }
  }
}

/** Resolves with the names of the files in a folder: neither folders nor links, which lead elsewhere. */
const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true })).flatMap((entry) => (entry.isFile() ? [entry.name] : []))

const tagOf = (bytes: Buffer): string => `"${hash('sha256', bytes, 'hex').slice(0, 16)}"`
