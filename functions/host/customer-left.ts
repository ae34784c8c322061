import { define } from './problems.ts'

/** What the contexts that keep something for customers answer about one who has left. 403 and not 401: the
 * token is valid, and logging in again would not help. */
export const customerLeft = define('customer-left', 403, 'The customer has left the bank')
