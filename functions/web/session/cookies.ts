import type { IncomingMessage } from 'node:http'

type WithHeaders = Pick<IncomingMessage, 'headers'>

/** Where a request came, as its browser sees it. */
export const schemeOf = ({ headers }: WithHeaders): 'http' | 'https' =>
  // A client that lies about how it came is the only one who sees it.
  headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'

/** The cookies of a session. The access token goes with each request. The refresh token goes only where it is
 * used. */
const KINDS = {
  access: { name: 'mb-access', prefix: '__Host-', path: '/' },
  refresh: { name: 'mb-refresh', prefix: '__Secure-', path: '/api/session' },
} as const

export type CookieKind = keyof typeof KINDS

/** Longer values than a token has are none of ours. */
const TOKEN = /^[\w.-]{1,4096}$/

/** Returns the value of a cookie; undefined if it is missing or can't be a token. So nothing but the letters
 * of a token gets into another header.
 *
 * Of two cookies with one name none counts: a page of another port, or of a sibling domain, can set one with
 * a longer path, which the browser sends first. Only the blanks of RFC 6265 around a pair don't count: trim()
 * takes U+00A0 too, and browsers let a sibling domain set a cookie whose name is that and then `__Host-`. */
export function readCookie(request: WithHeaders, kind: CookieKind): string | undefined {
  const prefix = `${nameOf(request, kind)}=`
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length))
  const [value] = values
  return values.length === 1 && TOKEN.test(value!) ? value : undefined
}

/** Returns the header that sets a cookie for some seconds, or removes it with 0. */
export function cookieOf(
  request: WithHeaders,
  kind: CookieKind,
  { value, lifeSeconds }: { value: string; lifeSeconds: number },
): string {
  const secure = schemeOf(request) === 'https' ? '; Secure' : ''
  const { path } = KINDS[kind]
  return (
    `${nameOf(request, kind)}=${value}; Path=${path}; Max-Age=${lifeSeconds}` +
    `; HttpOnly; SameSite=Strict${secure}`
  )
}

/** Over https a prefix binds a cookie to this origin (RFC 6265bis, section 4.1.3). Without it Safari drops
 * cookies with Secure, even those of localhost; and as all ports of a host share their cookies, the port is
 * in the name. */
function nameOf(request: WithHeaders, kind: CookieKind): string {
  const { name, prefix } = KINDS[kind]
  if (schemeOf(request) === 'https') return prefix + name
  const [, port = '80'] = /:(\d+)$/.exec(request.headers.host ?? '') ?? []
  return `${name}-${port}`
}
