import { OWN_UUID } from '../values/uuid-text.ts'

/** Issuer, audience and type of every access token of the bank (RFC 9068). */
export const ISSUER = 'https://microbank.dev'
export const AUDIENCE = 'microbank'
export const TOKEN_TYPE = 'at+jwt'
/** The only algorithm accepted: Ed25519 under its JOSE name (RFC 8037). */
export const ALGORITHM = 'EdDSA'
/** The form of the user's id in a token. */
export const SUBJECT = OWN_UUID
/** A token's life in seconds. It is verified without asking anybody, so this is also how long a log-out, a
 * deleted user or a changed role can go unnoticed. */
export const ACCESS_TOKEN_LIFE_SECONDS = 15 * 60
