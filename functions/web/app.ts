import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { answer } from '../host/http/answer.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { misframed, originForm } from '../host/http/framing.ts'
import { makeLast } from '../host/http/last-answer.ts'
import type { Exchange } from '../host/http/exchange.ts'
import { problem, problems } from '../host/problems.ts'
import { createTokenVerifier } from '../host/http/tokens.ts'
import type { Tools } from '../host/tools.ts'
import { createApi } from './api.ts'
import { contractFile } from './contract-files.ts'
import { createCors } from './cors.ts'
import type { AnswerFile } from './page-files.ts'
import { createPages } from './pages.ts'
import { createReception } from './reception.ts'
import type { CookieSession } from './session/cookie-session.ts'
import { isReading } from './wrong-method.ts'

const PREFIX = '/api'
/** The session of a browser, which has cookies in place of tokens. */
const SESSION = '/api/session'
/** The page to read the contract. The build puts its files there. */
const DOCS = '/docs'
const DOCS_FOLDER = join(__dirname, '../web/docs')
/** The bank's pages: one HTML file, whatever the address, and the files that it names. */
const UI_FOLDER = join(__dirname, '../web/ui')
const ASSETS = '/assets'
/** Documents that a function gives at a well-known address (RFC 8615). */
const WELL_KNOWN = '/.well-known/microbank-'

/** Mounts the front door. The same code runs on a laptop and on a cluster. The returned handler answers every
 * request. Express serves the pages only: it takes 30 ms to load, and as long for a request as all the rest
 * of the way here. */
export function mountFrontDoor(
  tools: Tools,
  catalogue: readonly CatalogueEntry[],
): (exchange: Exchange) => Promise<void> | undefined {
  const cors = createCors(tools.config.CORS_ORIGINS)
  const receive = createReception(tools.config, cors)
  const api = createApi(tools, catalogue, cors)
  const pages = createPages(tools, catalogue, cors)
  const docs = later(async () => (await import('./page-files.ts')).createDocsFiles(DOCS_FOLDER))
  const ui = later(async () => (await import('./page-files.ts')).createUiFiles(UI_FOLDER))
  let session: Promise<CookieSession> | undefined
  const cookies = (): Promise<CookieSession> =>
    (session ??= import('./session/cookie-session.ts').then(({ createCookieSession }) =>
      createCookieSession(tools, createTokenVerifier(tools.config.JWKS)),
    ))
  return (exchange) => {
    const { request, response } = exchange
    const refusal = receive(exchange)
    const url = originForm(request)
    const wrong = misframed(request) ?? (url === undefined ? 'The URL must be a path.' : undefined)
    if (url === undefined || wrong !== undefined) {
      makeLast(response)
      answer(response, problem(problems.badRequest, wrong ?? ''))
      return undefined
    }
    const path = url.split('?', 1)[0]!
    if (refusal) {
      // Some programs ask the API for HTML by default, and read problems only.
      if (!isUnder(PREFIX, path) && wantsPage(request, path))
        return import('./page-files.ts').then(({ askToWait }) => askToWait(response, refusal))
      answer(response, refusal)
      return undefined
    }
    const contract = contractFile(path, cors)
    if (contract) {
      exchange.handler = path
      return contract(request, response)
    }
    if (isUnder(DOCS, path)) {
      exchange.handler = DOCS
      return docs(request, response, path.slice(DOCS.length + 1) || 'index.html')
    }
    if (isUnder(SESSION, path)) return cookies().then((session) => session.answer(exchange, path))
    if (isUnder(PREFIX, url)) {
      const forward = () => api(exchange, url.slice(PREFIX.length))
      if (request.headers.cookie === undefined) return forward()
      return cookies().then((session) => {
        const refusal = session.admit(request)
        return refusal ? answer(response, refusal) : forward()
      })
    }
    if (url.startsWith(WELL_KNOWN)) return api(exchange, url)
    const file = isUnder(ASSETS, path) ? path.slice(1) : wantsPage(request, path) && 'index.html'
    if (!file) return pages(exchange, url)
    exchange.handler = '/'
    return ui(request, response, file)
  }
}

/** Puts off what only pages need until somebody asks for one. */
function later(create: () => Promise<AnswerFile>): AnswerFile {
  let created: Promise<AnswerFile> | undefined
  return async (...request) => (await (created ??= create()))(...request)
}

/** Whether a browser asks for a page. What answers programs answers it as it does them. */
const wantsPage = (request: IncomingMessage, path: string): boolean =>
  isReading(request) &&
  request.headers.accept?.includes('text/html') === true &&
  !isUnder('/health', path) &&
  !path.startsWith('/.well-known/')

const isUnder = (prefix: string, url: string): boolean =>
  url.startsWith(prefix) && (url.length === prefix.length || '/?'.includes(url[prefix.length]!))
