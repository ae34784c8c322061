import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a mailed link is good for. */
export type LinkPurpose = 'new-password' | 'confirm-email'

const ID_BYTES = 16
const TOKEN_BYTES = ID_BYTES + 32

/** Schema of a token: id and HMAC in base64url. */
export const linkTokenSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{64}$',
  'x-secret': true,
} as const

/** Returns the token of a link: the link's id, and an HMAC over it and its purpose. So it follows from what
 * events and tables may hold, and whoever reads those can't make it without the key.
 * @param id a UUID */
export function linkToken(key: string, purpose: LinkPurpose, id: string): string {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return Buffer.concat([bytes, macOf(key, purpose, bytes)]).toString('base64url')
}

/** Returns the id in a token; undefined unless linkToken() made it with this key and for this purpose. */
export function readLinkToken(key: string, purpose: LinkPurpose, token: string): string | undefined {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== TOKEN_BYTES) return undefined
  const id = bytes.subarray(0, ID_BYTES)
  if (!timingSafeEqual(bytes.subarray(ID_BYTES), macOf(key, purpose, id))) return undefined
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const macOf = (key: string, purpose: LinkPurpose, id: Buffer): Buffer =>
  createHmac('sha256', key).update(`microbank link: ${purpose}\n`).update(id).digest()
