import type { IncomingMessage } from 'node:http'
import { cookieProblems } from '../../host/cookie-problems.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { schemeOf } from './cookies.ts'

const READING: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Returns the refusal of a request that a page elsewhere may have sent with the cookie of its reader;
 * undefined if it comes from a page of the bank, or from the reader themselves.
 *
 * The header Origin of what changes something must be the address that it came to, or `publicUrl`: if a
 * gateway rewrites Host, the front door does not see its own address. Sec-Fetch-Site must agree, if a browser
 * sends it: another port of the same host is another origin, but the same site, so SameSite keeps no cookie
 * from it (https://www.w3.org/TR/fetch-metadata). */
export function crossSite(
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  publicUrl: string,
): Reply | undefined {
  const { origin, host, 'sec-fetch-site': site } = request.headers
  const isReading = READING.has(request.method)
  if (site !== undefined && site !== 'same-origin' && !(isReading && site === 'none'))
    return refusal('This request comes from a page of another site.')
  if (isReading) return undefined
  if (origin === undefined) return refusal('A request with a cookie needs the header Origin.')
  const isOurs = origin === `${schemeOf(request)}://${host}` || origin === new URL(publicUrl).origin
  return isOurs ? undefined : refusal('The header Origin names another site.')
}

const refusal = (detail: string): Reply =>
  problem(cookieProblems.crossSite, `${detail} Clients that are no browsers send a token in Authorization.`)
