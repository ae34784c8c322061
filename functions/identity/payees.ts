import { route } from '../host/operation.ts'
import { idParams, orNull, uuidSchema } from '../host/schema.ts'
import { canonicalEmail, emailSchema, findUser, findUserByEmail } from './user.ts'

const foundSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['user_id'],
  properties: { user_id: orNull(uuidSchema) },
} as const

const shownSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['shown_name'],
  properties: { shown_name: orNull({ type: 'string' }) },
} as const

/** Returns as much of a name as tells a payer that they pay the right person: the first word, and the
 * initials of the others. `shownName('Ada King Lovelace')` is 'Ada K. L.'. */
export function shownName(name: string): string {
  const [first = '', ...others] = name.trim().split(/\s+/)
  return [first, ...others.map((word) => `${[...word][0]}.`)].join(' ')
}

/** What payments asks about payees. They are routes of the operation `users`. */
export const payeeRoutes = [
  route({
    method: 'POST',
    path: '/users/find',
    // For payments that name a payee by address. A customer could use it to learn who has an account.
    who: 'contexts',
    onBehalf: ['payments'],
    summary: 'The id of the user with an email address, if it is confirmed; null if there is none',
    body: {
      type: 'object',
      additionalProperties: false,
      required: ['email'],
      properties: { email: emailSchema },
    },
    answers: { 200: foundSchema },
    audits: { nothing: 'only payments learns it, and tells nobody' },
    handle: async ({ body }, { db }) => {
      const user = await findUserByEmail(db, canonicalEmail(body.email))
      // Anybody can register with another's address, and would get what is paid to it.
      return { status: 200, body: { user_id: user?.email_confirmed_at ? user.id : null } }
    },
  }),
  route({
    method: 'GET',
    path: '/users/{id}/shown-name',
    who: 'contexts',
    onBehalf: ['payments'],
    summary: 'What a payer may see of the name of a user; null if there is none',
    params: idParams,
    answers: { 200: shownSchema },
    audits: { nothing: 'payers learn it, who have named the payee' },
    handle: async ({ params: { id } }, { db }) => {
      const user = await findUser(db, id)
      return { status: 200, body: { shown_name: user ? shownName(user.name) : null } }
    },
  }),
]
