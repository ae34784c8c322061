import { cookieProblems } from '../cookie-problems.ts'
import type { ProblemType } from '../problems.ts'
import type { ListedAddress } from './addresses.ts'
import type { JsonObject } from './schemas.ts'

/** What a request may carry to say who sends it. */
export const securitySchemes: JsonObject = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access_token of POST /api/auth/login. It is good for some minutes.',
  },
  // A scheme has one name, and this document is one for all banks. Over https all have this name.
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-mb-access',
    description: `For pages that the bank serves: POST /api/session sets it, no script can read it, and the browser sends it by itself. All other clients use bearer, which wins if both are there. Over http its name is \`mb-access-\` and the port.

With it, what changes something needs the header \`Origin\` of the bank itself. If \`Session-User\` holds another user’s id than the cookie, nothing is done.`,
  },
  refreshCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Secure-mb-refresh',
    description:
      'What continues the session of a browser. It comes with the other cookie, goes to /api/session only, and over http its name is `mb-refresh-` and the port.',
  },
}

/** Returns what a request must carry, as OpenAPI 3.1 has it: one of several ways, each with the role that it
 * takes. Empty if it needs nothing. */
export function securityOf({ routes, path }: ListedAddress): JsonObject[] {
  const [{ route }] = routes as [ListedAddress['routes'][number]]
  if (route.refreshCookie) return [...(route.refreshCookie === 'optional' ? [{}] : []), { refreshCookie: [] }]
  if (route.who === 'anyone') return []
  const roles = route.who === 'operator' ? ['operator'] : []
  return [{ bearer: roles }, ...(isUnderApi(path) ? [{ cookie: roles }] : [])]
}

/** Returns how the front door may refuse a request that has a cookie, before it passes it on: also where none
 * is needed. */
export const cookieRefusals = ({ path, isOwn }: ListedAddress): ProblemType[] =>
  isUnderApi(path) && !isOwn ? Object.values(cookieProblems) : []

/** The front door looks at cookies here only. */
const isUnderApi = (path: string): boolean => path.startsWith('/api/')
