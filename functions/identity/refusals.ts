import { problem, problems, type ProblemType } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'

/** The refusals of this context. */
export const identityProblems = {
  invalidCredentials: {
    name: 'invalid-credentials',
    status: 401,
    title: 'The email address or the password is wrong',
  },
  invalidRefreshToken: {
    name: 'invalid-refresh-token',
    status: 401,
    title: 'A valid refresh token is needed',
  },
  emailTaken: { name: 'email-taken', status: 409, title: 'There is a user with this email address' },
  linkNotValid: { name: 'link-not-valid', status: 410, title: 'The link is not valid, or not any more' },
  emailConfirmed: { name: 'email-confirmed', status: 409, title: 'The email address is confirmed already' },
  wrongPassword: { name: 'wrong-password', status: 403, title: 'The current password is wrong' },
  accountsOpen: { name: 'accounts-open', status: 409, title: 'The user has accounts that are not closed' },
} as const satisfies Record<string, ProblemType>

// RFC 9110, section 15.5.2: a 401 must name a scheme, even if no token was asked for.
const challenge = { 'www-authenticate': 'Bearer realm="microbank"' }

/** The same answer to every failed log-in, whatever the reason. */
export const invalidCredentials = (): Reply =>
  problem(identityProblems.invalidCredentials, 'There is no user with this email address and password.', {
    headers: challenge,
  })

/** The same answer to a refresh token that is unknown, used, revoked or expired. */
export const invalidRefreshToken = (): Reply =>
  problem(identityProblems.invalidRefreshToken, 'Log in again to get a new refresh token.', {
    headers: challenge,
  })

export const emailTaken = (): Reply =>
  problem(identityProblems.emailTaken, 'This email address belongs to another user; choose another one.')

/** The same answer to a link that is altered, for another purpose, used, expired, or replaced. */
export const linkNotValid = (): Reply =>
  problem(identityProblems.linkNotValid, 'A link works once and for a limited time. Ask for a new one.')

/** `path` is where the new password is in the body. */
export const refusedPassword = (path: string, message: string): Reply =>
  problem(problems.invalidInput, `The password ${message}.`, { errors: [{ path, message }] })

/** No 401: the token is good, and another would not help. */
export const wrongPassword = (): Reply =>
  problem(
    identityProblems.wrongPassword,
    'Give your current password to change your password or your email address.',
  )

export const accountsOpen = (): Reply =>
  problem(identityProblems.accountsOpen, 'Close all accounts of the user before deleting the user.')

export const userNotFound = (): Reply => problem(problems.notFound, 'There is no user with this id.')

/** `seconds` is how long to wait before another attempt is considered. */
export const tooManyAttempts = (seconds: number): Reply => tooMany('attempts to log in', seconds)

/** `seconds` is how long to wait before another registration from the same address is considered. */
export const tooManyRegistrations = (seconds: number): Reply =>
  tooMany('registrations from your address', seconds)

/** `seconds` is how long to wait before the session can be continued again. */
export const tooManyRefreshes = (seconds: number): Reply => tooMany('refreshes of this session', seconds)

/** `seconds` is how long to wait before another link is mailed, or asked for. */
export const tooManyLinks = (seconds: number): Reply => tooMany('links that were asked for', seconds)

const tooMany = (what: string, seconds: number): Reply =>
  problem(problems.tooManyRequests, `Too many ${what}; wait ${seconds} seconds.`, {
    headers: { 'retry-after': String(seconds) },
  })
