import { hash } from 'node:crypto'
import { canonicalJson } from '../canonical-json.ts'

/** Type of the token of a call on behalf of a customer. It is not that of access tokens, so neither is ever
 * taken for the other. */
export const CALL_TOKEN_TYPE = 'call+jwt'
/** Such a token is made for one call, and outlives all attempts at it. */
export const CALL_TOKEN_LIFE_SECONDS = 60
/** What the clocks of two functions may differ by. */
export const CLOCKS_DIFFER_SECONDS = 5

// The type stands first in the header, and its bytes are a multiple of three, so base64 begins all such
// tokens alike. A header in another order is taken for that of an access token, and is refused for its type.
const START = 'eyJ0eXAiOiJjYWxsK2p3dCIs'

/** Says whether text is meant as the token of a call on behalf. It proves nothing, and costs nothing. */
export const isCallToken = (token: string): boolean => token.startsWith(START)

/** What a call on behalf asks for: method and path, without the query, as the request has them. */
export interface CalledRoute {
  method: string
  path: string
}

export const scopeOf = ({ method, path }: CalledRoute): string => `${method} ${path}`

/** Returns the SHA-256 of a JSON body, whatever the order of its keys, as a token has it. */
export const sha256Of = (body: unknown): string => hash('sha256', canonicalJson(body), 'base64url')

/** Returns the path of a request's target, which may have a query. */
export const pathOf = (target: string): string => target.replace(/\?.*$/, '')
