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

/** Why a request must not be passed on as it is framed, as a sentence; undefined for nearly all. Hops
 * disagree about bodies of GET and HEAD and about unusual codings, and where they disagree one request's body
 * is the next request; where there are two Hosts, each may read another. */
export function misframed(request: Framed & Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  const { method = '', headers, rawHeaders } = request
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'Transfer-Encoding may only be chunked.'
  if ((method === 'GET' || method === 'HEAD') && hasBody(request)) return `A ${method} request has no body.`
  if (hasTwoHosts(rawHeaders)) return 'A request has one Host.'
  return undefined
}

/** `headers` has the first of them and says nothing of others (RFC 9112, section 3.2). */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
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
