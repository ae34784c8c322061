import type { IncomingMessage } from 'node:http'

type Framed = Pick<IncomingMessage, 'headers' | 'method'>

/** Whether a body follows the headers. */
export const hasBody = ({ headers }: Framed): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Whether more of the body may come. Of a body that nobody has begun to read this is known a moment before
 * `complete` is. */
export const isArriving = (request: IncomingMessage): boolean =>
  !request.complete &&
  hasBody(request) &&
  Number(request.headers['content-length']) !== request.readableLength

/** Why a request must not be passed on as it is framed, as a sentence; undefined for nearly all. Hops
 * disagree about bodies of GET and HEAD and about unusual codings, and where they disagree one request's body
 * is the next request. */
export function misframed(request: Framed): string | undefined {
  const { method = '', headers } = request
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'Transfer-Encoding may only be chunked.'
  if ((method === 'GET' || method === 'HEAD') && hasBody(request)) return `A ${method} request has no body.`
  return undefined
}

/** The path of a request target without the scheme and host of the absolute form (RFC 9112, section 3.2.2);
 * undefined where that names another host than the Host header, or is no path at all. */
export function originForm({
  url = '/',
  headers,
}: Pick<IncomingMessage, 'headers' | 'url'>): string | undefined {
  if (url.startsWith('/')) return url
  const [, authority, path = ''] = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? []
  if (authority === undefined || authority.toLowerCase() !== headers.host?.toLowerCase()) return undefined
  return path.startsWith('/') ? path : `/${path}`
}
