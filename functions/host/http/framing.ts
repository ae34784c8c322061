import type { IncomingMessage } from 'node:http'

type Framed = Pick<IncomingMessage, 'headers' | 'method'>

/** Says whether a body follows the headers. */
export const hasBody = ({ headers }: Framed): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Says whether more of the body may come. If nobody has begun to read the body, this is known a moment
 * before `complete` is set. */
export const isArriving = (request: IncomingMessage): boolean =>
  !request.complete &&
  hasBody(request) &&
  Number(request.headers['content-length']) !== request.readableLength

/** Returns a sentence that says why a request must not be passed on; undefined for nearly all requests. Hops
 * disagree about bodies of GET and HEAD and about unusual codings. If they do, one of them takes a request's
 * body for the next request. If there are two Hosts, each hop may read another one. */
export function misframed(request: Framed & Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  const { method = '', headers, rawHeaders } = request
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'Transfer-Encoding may only be chunked.'
  if ((method === 'GET' || method === 'HEAD') && hasBody(request)) return `A ${method} request has no body.`
  if (hasTwoHosts(rawHeaders)) return 'A request has one Host.'
  return undefined
}

/** Reads the raw headers, because `headers` has only the first Host (RFC 9112, section 3.2). */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

/** The path of a request target without the scheme and host of the absolute form (RFC 9112, section 3.2.2);
 * undefined if that names another host than the Host header, or is no path at all. */
export function originForm({
  url = '/',
  headers,
}: Pick<IncomingMessage, 'headers' | 'url'>): string | undefined {
  if (url.startsWith('/')) return url
  const [, authority, path = ''] = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? []
  if (authority === undefined || authority.toLowerCase() !== headers.host?.toLowerCase()) return undefined
  return path.startsWith('/') ? path : `/${path}`
}
