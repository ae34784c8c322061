import { define } from './problems.ts'

/** Refusals of what came with a browser's cookie. The front door gives them before it asks a function, which
 * knows of no cookie. */
export const cookieProblems = {
  crossSite: define('cross-site', 403, 'Another site’s page may not do this with your cookie'),
  otherUser: define('other-user', 403, 'Another user has signed in'),
}
