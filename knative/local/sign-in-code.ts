import { createHash, randomBytes } from 'node:crypto'

/** Minutes for which the printed link works. */
export const SIGN_IN_MINUTES = 10

/** The code of the link that `npm start` prints, and the setting by which `login` knows it. */
export interface SignInCode {
  /** 256 random bits in base64url. Only the person who started the bank sees it. */
  code: string
  /** `<SHA-256 of the code in base64url> <until when it works, ISO 8601>`. */
  setting: string
}

/** Makes a code. Each start has its own, so a restart ends the one before. */
export function createSignInCode(): SignInCode {
  const code = randomBytes(32).toString('base64url')
  const hash = createHash('sha256').update(code).digest('base64url')
  const expiresAt = new Date(Date.now() + SIGN_IN_MINUTES * 60_000).toISOString()
  return { code, setting: `${hash} ${expiresAt}` }
}
