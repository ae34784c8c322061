import { cookieProblems } from '../../host/cookie-problems.ts'
import { credentialSchemas } from '../../host/credentials.ts'
import type { DescribedRoute } from '../../host/operation.ts'
import { define, problems } from '../../host/problems.ts'
import { uuidSchema } from '../../host/schema.ts'

const { crossSite } = cookieProblems
const invalidCredentials = define('invalid-credentials', 401, 'The email address or the password is wrong')
const invalidRefreshToken = define('invalid-refresh-token', 401, 'A valid refresh token is needed')
const linkNotValid = define('link-not-valid', 410, 'The link is not valid, or not any more')

const sessionSchema = {
  title: 'Session',
  type: 'object',
  additionalProperties: false,
  required: ['user_id', 'role', 'expires_in'],
  properties: {
    user_id: uuidSchema,
    role: { enum: ['customer', 'operator'] },
    expires_in: { type: 'integer', description: 'Seconds until the session must be continued.' },
  },
} as const

const demoSchema = {
  title: 'DemoCustomer',
  type: 'object',
  additionalProperties: false,
  required: ['available'],
  properties: {
    available: { type: 'boolean', description: 'Only a laptop’s own bank has one.' },
  },
} as const

/** What login and refresh-session may answer when the front door asks them. */
const passedOn = [problems.badGateway, problems.gatewayTimeout, problems.unavailable]

/** The session of a browser. The front door answers with cookies in place of tokens, so that no script can
 * read them. */
export const sessionRoutes: readonly DescribedRoute[] = [
  {
    method: 'POST',
    path: '/api/session',
    operationId: 'signIn',
    who: 'anyone',
    summary: 'Sign a browser in, with an email address and a password, or with the code of a printed link',
    body: {
      oneOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['email', 'password'],
          properties: { email: credentialSchemas.email, password: credentialSchemas.password },
        },
        {
          type: 'object',
          additionalProperties: false,
          required: ['code'],
          properties: { code: credentialSchemas.code },
        },
      ],
    },
    answers: { 200: sessionSchema },
    problems: [...passedOn, crossSite, problems.invalidInput, invalidCredentials, linkNotValid],
  },
  {
    method: 'GET',
    path: '/api/session',
    operationId: 'getSession',
    who: 'signed-in',
    summary: 'Who is signed in',
    answers: { 200: sessionSchema },
    problems: [crossSite],
  },
  {
    method: 'DELETE',
    path: '/api/session',
    operationId: 'signOut',
    who: 'anyone',
    refreshCookie: 'optional',
    summary: 'Sign the browser out',
    answers: { 204: undefined },
    problems: [...passedOn, crossSite],
  },
  {
    method: 'POST',
    path: '/api/session/refresh',
    operationId: 'continueSession',
    who: 'anyone',
    refreshCookie: 'required',
    summary: 'Continue the session of a browser; its cookies are renewed',
    answers: { 200: sessionSchema },
    problems: [...passedOn, crossSite, problems.unauthenticated, invalidRefreshToken],
  },
  {
    method: 'GET',
    path: '/api/session/demo',
    operationId: 'getDemoCustomer',
    who: 'anyone',
    summary: 'Whether there is a demo customer to sign in as',
    answers: { 200: demoSchema },
    problems: [crossSite],
  },
  {
    method: 'POST',
    path: '/api/session/demo',
    operationId: 'signInAsDemoCustomer',
    who: 'anyone',
    summary: 'Sign a browser in as the demo customer of a bank on a laptop, who is made the first time',
    answers: { 200: sessionSchema },
    problems: [...passedOn, crossSite, problems.notFound, problems.tooManyRequests],
  },
]
